import { expect } from 'bun:test';
import type { ErrorCode, SignetError } from '../../src/core/errors/index.ts';
import type { Gun } from '../../src/core/names/gun.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import type { RoleName } from '../../src/core/names/role.ts';
import { type Pinning, TRUST_ON_FIRST_USE } from '../../src/core/verify/pinning.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { decide } from '../../src/trust/decide/decide.ts';
import { permitted } from '../../src/trust/decide/decision.ts';
import type { Evidence } from '../../src/trust/decide/evidence.ts';
import { DOCKERS_RULES, type ImageRules } from '../../src/trust/decide/image-rules.ts';
import { FileVault } from '../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../src/trust/keys/key-ring.ts';
import type { Passphrases } from '../../src/trust/keys/passphrases.ts';
import { Repository } from '../../src/trust/publish/repository.ts';
import type { ApproveProposal, RepositorySource } from '../../src/trust/publish/repository-source.ts';
import { type Collection, updateCollection } from '../../src/trust/update/collection.ts';
import type { ApproveFirstRoot } from '../../src/trust/update/first-root.ts';
import { failure } from './failure.ts';
import { MemoryCache } from './memory-cache.ts';
import { MemoryKeyStore } from './memory-key-store.ts';
import { type Simulator, sourceOf } from './simulator.ts';

/** A cache that remembers everything ever written to it. */
export class RecordingCache extends MemoryCache {
  readonly written: RoleName[] = [];

  override async write(gun: Gun, role: RoleName, bytes: Uint8Array): Promise<void> {
    this.written.push(role);
    await super.write(gun, role, bytes);
  }

  /** Every file in it, byte for byte. */
  async contents(gun: Gun): Promise<ReadonlyMap<RoleName, string>> {
    const files = new Map<RoleName, string>();
    for (const role of [...new Set(this.written)].sort()) {
      const bytes = await this.read(gun, role);
      if (bytes !== undefined) files.set(role, bytes.toString('base64'));
    }
    return files;
  }
}

/** Answers every passphrase question with the empty passphrase. */
export const NO_PASSPHRASES: Passphrases = {
  existing: async () => Buffer.alloc(0),
  fresh: async () => Buffer.alloc(0),
};

/** A person with their own cache and keys, who trusts on first use unless `pinning` says otherwise. */
export class Visitor {
  readonly cache = new RecordingCache();
  readonly warnings: string[] = [];
  readonly keyStore: KeyStore = new MemoryKeyStore();
  readonly keyFiles = new FileVault(this.keyStore, NO_PASSPHRASES);
  readonly keys = new KeyRing(this.keyFiles);
  pinning: Pinning = TRUST_ON_FIRST_USE;
  approveFirstRoot: ApproveFirstRoot | undefined;
  /** Whether this person signs proposals of others; true by default. */
  approveProposal: ApproveProposal | undefined = async () => true;
  private readonly simulator: Simulator;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  update(purpose: 'read' | 'publish' = 'read'): Promise<Collection> {
    return updateCollection({ ...this.source(), purpose });
  }

  /** The digest of the tag, resolved as every command does. */
  async resolve(tag = 'latest'): Promise<string> {
    const image = permitted(await decide(parseReference(`${this.simulator.gun}:${tag}`), this.evidence()));
    if (image.verdict !== 'tag-signed') throw new Error(`the verdict is ${image.verdict}`);
    return image.tag.digest;
  }

  /** The evidence for this person's decisions. */
  evidence(rules: ImageRules = DOCKERS_RULES): Evidence {
    return { rules, pinning: this.pinning, collectionOf: () => this.update(), now: () => this.simulator.now };
  }

  repository(): Repository {
    return new Repository(this.source(), this.keys);
  }

  /** Expects that the tag cannot be resolved, for this reason, and that the cache does not change by a byte. */
  async isRefused(code: ErrorCode, tag = 'latest'): Promise<SignetError> {
    const before = await this.cache.contents(this.simulator.gun);
    const error = await failure(this.resolve(tag), code);
    expect(await this.cache.contents(this.simulator.gun)).toEqual(before);
    return error;
  }

  private source(): RepositorySource {
    const { pinning, approveFirstRoot, approveProposal, cache } = this;
    const warn = (message: string) => void this.warnings.push(message);
    return {
      ...sourceOf(this.simulator, this.simulator.now, this.simulator.gun),
      pinning,
      approveFirstRoot,
      approveProposal,
      cache,
      warn,
      sleep: async () => undefined,
    };
  }
}
