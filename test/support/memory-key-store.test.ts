import { keyStoreSuite } from '../store/key-store.suite.ts';
import { MemoryKeyStore } from './memory-key-store.ts';

keyStoreSuite('MemoryKeyStore', () => new MemoryKeyStore());
