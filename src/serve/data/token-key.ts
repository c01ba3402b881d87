import type { KeyObject } from 'node:crypto';
import { generateTokenKey, parseTokenKey } from '../../accounts/tokens/token-key.ts';
import { LIMITS } from '../../core/limits.ts';
import { readSmallFile, writePrivateFile } from '../../store/files.ts';
import type { DataFolder } from './data-folder.ts';

/** The key that signs access tokens; created if there is none, which ends nothing but tokens. Throws `token-key-invalid`. */
export function loadTokenKey(folder: DataFolder): KeyObject {
  const pem = readSmallFile(folder.tokenKey, LIMITS.keyFile, true) ?? makeTokenKey(folder);
  try {
    return parseTokenKey(pem);
  } finally {
    pem.fill(0);
  }
}

function makeTokenKey(folder: DataFolder): Buffer {
  const pem = generateTokenKey();
  writePrivateFile(folder.tokenKey, pem);
  return pem;
}
