import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { generateTokenKey, parseTokenKey } from '../accounts/token-key.ts';
import type { DataFolder } from './data-folder.ts';
import { writePrivateFile } from './private-file.ts';

/** The key that signs access tokens; made where there is none, which ends nothing but tokens. Throws `token-key-invalid`. */
export function loadTokenKey(folder: DataFolder): KeyObject {
  if (!existsSync(folder.tokenKey)) writePrivateFile(folder.tokenKey, generateTokenKey());
  const pem = readFileSync(folder.tokenKey);
  try {
    return parseTokenKey(pem);
  } finally {
    pem.fill(0);
  }
}
