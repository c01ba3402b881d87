import { afterAll } from 'bun:test';
import { cleanUp } from './cleanup.ts';

const STOPPING_ENGINES_MS = 120_000;

// Trust on first use is off in CI jobs, so the tests must not look like one.
delete process.env.CI;
delete process.env.SIGNET_TOFU;

afterAll(cleanUp, STOPPING_ENGINES_MS);
