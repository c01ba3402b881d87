import { afterAll } from 'bun:test';
import { cleanUp } from './cleanup.ts';

const STOPPING_ENGINES_MS = 120_000;

afterAll(cleanUp, STOPPING_ENGINES_MS);
