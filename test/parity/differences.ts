/** The scenarios in which Signet answers differently on purpose, by the words with which docs/differences.md begins the row. */
const BY_REASON: ReadonlyMap<string, readonly string[]> = new Map([
  ['what docker does not know (`docker container frobnicate`) it says so itself', ['usage-container/unknown-command']],
  [
    '`trust sign` takes one image',
    [
      'usage-trust-sign/none',
      'usage-trust-sign/help',
      'usage-trust-sign/unknown-flag',
      'usage-trust-sign/bad-switch',
      'trust-sign/uninitialised-no-image',
      'trust-sign/new-tag-no-image',
      'trust-sign/local-no-image',
      'trust-sign/tag-and-digest',
      'odd-server-sign/status-404',
    ],
  ],
  [
    '`trust sign` without the key, or with a wrong passphrase, says that it has signed',
    ['trust-sign/no-key-for-targets', 'trust-sign/wrong-passphrase', 'trust-sign/wrong-passphrase-typed'],
  ],
  [
    'a wrong passphrase counts as a missing key',
    [
      'trust-revoke/wrong-passphrase',
      'trust-signer-add/wrong-passphrase',
      'trust-signer-remove/wrong-passphrase',
      'push/wrong-passphrase',
    ],
  ],
  [
    'the helps of `trust` and `trust key` list its own commands alone',
    [
      'usage-trust/bare',
      'usage-trust/help',
      'usage-trust/short-help',
      'usage-trust/help-taken-back',
      'usage-trust-key/bare',
      'usage-trust-key/help',
      'usage-help/trust',
    ],
  ],
  [
    '`push`, `trust sign` and `trust signer add` found a new repository wherever they run',
    [
      'trust-sign/uninitialised',
      'trust-sign/uninitialised-in-a-script',
      'trust-sign/uninitialised-key-there',
      'trust-signer-add/uninitialised',
      'trust-signer-add/several-one-fails',
      'push/uninitialised',
      'push/uninitialised-latest',
      'push/uninitialised-quiet',
      'push/no-such-image',
    ],
  ],
  [
    '`push` uploads first, and then finds out whether it can sign',
    ['push/no-key', 'push/unauthorised', 'push/not-logged-in'],
  ],
  [
    'the helps of `trust signer add` and `trust signer remove` have its own options alone',
    ['usage-trust-signer-add/help', 'usage-trust-signer-remove/help', 'usage-trust-signer-remove/short-help-in-group'],
  ],
  [
    'a question that no one answers counts as no',
    ['trust-revoke/whole-no-answer', 'trust-signer-remove/last-no-answer'],
  ],
  ['one command may ask for the same passphrase again', ['trust-sign/uninitialised-asks']],
  ['`trust revoke` of a tag that `targets` has as well', ['trust-revoke/in-targets-whose-key-others-have']],
  ['`trust signer remove` removes nothing', ['trust-signer-remove/not-the-last', 'trust-signer-remove/last-forced']],
  ['two digests of one tag', ['trust-inspect-pretty/other-digest-in-releases', 'trust-sign/other-digest-in-releases']],
  [
    'log lines of its library',
    [
      'trust-inspect-json/offline-cached',
      'trust-inspect-pretty/offline-cached',
      'pull/offline-cached',
      'run/offline-cached',
      'create/offline-cached',
    ],
  ],
  [
    'errors of the network, of JSON and of ASN.1',
    [
      'trust-sign/offline',
      'trust-revoke/offline',
      'trust-signer-add/offline',
      'trust-signer-add/tag-in-repository',
      'trust-signer-add/key-broken',
      'trust-signer-remove/offline',
      'login/unreachable',
      'pull/offline-no-cache',
      'push/offline',
      'run/offline-no-cache',
      'create/offline-no-cache',
      'odd-server-pull/not-json',
      'odd-server-run/not-json',
      'odd-server-sign/not-json',
    ],
  ],
  [
    'a refused login',
    ['login/wrong-password-from-stdin', 'login/wrong-password-as-option', 'login/asks-password-wrong'],
  ],
  [
    '`server returned 401` of a trust server',
    [
      'create/unauthorised',
      'odd-server-pull/status-401',
      'odd-server-run/status-401',
      'odd-server-sign/status-401',
      'pull/unauthorised',
      'run/unauthorised',
      'trust-revoke/unauthorised',
      'trust-sign/unauthorised',
      'trust-sign/uninitialised-not-logged-in',
      'trust-sign/uninitialised-unauthorised',
      'trust-signer-add/several-one-fails',
      'trust-signer-add/unauthorised',
      'trust-signer-remove/unauthorised',
    ],
  ],
  ['where the input has ended', ['trust-key-generate/asks-no-answer']],
  ["`SRun 'docker login --help'", ['usage-login/extra', 'usage-logout/extra']],
  ['a wrong value of another option', ['usage-docker/bad-switch', 'usage-run/bad-switch']],
  ['`name:tag@digest`', ['pull/tag-and-digest', 'run/tag-and-digest', 'create/tag-and-digest']],
  ['`plugin push` signs plugins', ['others/plugin-push']],
]);

const BY_SCENARIO: ReadonlyMap<string, string> = new Map(
  [...BY_REASON].flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
);

/** Why Signet answers differently in a scenario; undefined where it must not. */
export function differenceIn(name: string): string | undefined {
  return BY_SCENARIO.get(name);
}

export const DIFFERENT_SCENARIOS: readonly string[] = [...BY_SCENARIO.keys()];
export const REASONS: readonly string[] = [...BY_REASON.keys()];
