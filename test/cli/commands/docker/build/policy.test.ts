import { describe, expect, test } from 'bun:test';
import { refuseReplacingPolicy } from '../../../../../src/cli/commands/docker/build/policy.ts';
import { failure } from '../../../../support/failure.ts';

const DENYING = `package docker

import rego.v1

default allow := false

allow if input.local
allow if {
  input.image.repo == "alpine" # pin_image(input.image, "no")
  not input.image.tag in ["latest", \`pin_image(\`]
}
named(image, repo) if startswith(image.fullRepo, sprintf("docker.io/%s", [repo]))
default level(_) := 0
level(image) := count(image.labels)
allow if named(input.image, "team")
allow if {
  some sig in input.image.signatures
  docker_github_builder_signature(sig, "moby/buildkit")
}
allow if {
  regex.match(\`^v\\d+$\`, input.image.tag)
  (level(input.image) > 1)
}
deny_msg contains msg if {
  not allow
  msg := sprintf("image %s is not allowed", [input.image.ref])
}
decision := {"allow": allow, "deny_msg": [msg | some msg in deny_msg]}
`;

test('a policy that only allows and denies is let be', () => {
  expect(() => refuseReplacingPolicy('x', DENYING)).not.toThrow();
  expect(() => refuseReplacingPolicy('x', 'package docker\nimport future.keywords.if\n')).not.toThrow();
});

describe('a policy that could replace an image is refused', () => {
  test.each([
    ['calls "pin_image"', 'allow if pin_image(input.image, "sha256:x")'],
    ['calls "pin_image"', 'allow if {\npin_image (input.image, "sha256:x")\n}'],
    ['calls "pin_image"', 'allow if\npin_image # here\n(input.image, "sha256:x") == true'],
    ['calls "pin_image"', 'pin_image(a, b) if true\nallow if pin_image(input.image, "sha256:x")'],
    ['calls "pin_image"', 'x := "\\"" # "\nallow if pin_image(input.image, "sha256:x")'],
    ['calls "new_power"', 'allow if new_power(input.image)'],
    ['calls "new_power"', 'allow if {\nnew_power(input.image)\n}'],
    ['calls "http.send"', 'allow if http.send({}).status_code == 200'],
    ['calls "data.other.f"', 'allow if data.other.f(input.image)'],
    ['calls "data.other.f"', 'allow if data . other .f (input.image)'],
    ['imports "data.other"', 'import data.other\nallow if other.x'],
    ['imports "data"', 'import data\nallow if true'],
    ['imports "input.x"', 'import input.x\nallow if true'],
    ['replaces functions by "with"', 'allow if count(x) with count as pin_image'],
    ['has text that is not plain', 'allow if x == $"{pin_image(input.image, 1)}"'],
    ['has text that is not plain', 'allow if x == "open'],
    ['has text that is not plain', 'allow if x == `open'],
  ])('since it %s: %j', async (what, text) => {
    const { message, next } = await failure(
      () => refuseReplacingPolicy('Dockerfile.rego', text),
      'build-option-unsafe',
    );
    expect(message).toBe(`the build policy Dockerfile.rego ${what}, which may replace images after they are checked`);
    expect(next).toContain('only allow and deny');
  });
});
