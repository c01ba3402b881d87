import { describe } from 'bun:test';
import { httpSuite } from './http.suite.ts';

describe('requests on connections of their own', () => httpSuite(false));
describe('requests in a row on one connection', () => httpSuite(true));
