import { describe } from 'bun:test';
import { httpSuite } from './http.suite.ts';

describe('requests on connections of their own', () => httpSuite(false));
describe('pipelined requests on one connection', () => httpSuite(true));
