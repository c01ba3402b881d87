// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables are the Dockerfile's
import { describe, expect, test } from 'bun:test';
import { findImageUses, platformsOfEngine, rewriteImages } from '../../src/dockerfile/index.ts';
import { failure } from '../support/failure.ts';
import { BUILDKIT, CLASSIC, images, settings } from './support.ts';

const refused = (source: string, changes: Parameters<typeof settings>[0] = {}) =>
  failure(() => images(source, changes), 'dockerfile-uncertain');
const broken = (source: string) => failure(() => images(source), 'dockerfile-invalid');

test('a use says where it stands, who asks for it and how docker reads it', () => {
  const source = 'ARG V=one\n# c\nFROM "a:$V" AS Base\nCOPY --from=b /x /y\n';
  const uses = findImageUses(source, settings({ file: 'x/Dockerfile.prod' }));
  expect(uses.map(({ span, ...use }) => ({ ...use, text: source.slice(span.from, span.to) }))).toEqual([
    { place: 'x/Dockerfile.prod:3', by: 'FROM', name: 'a:one', isImage: true, text: '"a:$V"' },
    { place: 'x/Dockerfile.prod:3', by: 'AS', name: 'base', isImage: false, text: 'Base' },
    { place: 'x/Dockerfile.prod:4', by: 'COPY --from', name: 'b', isImage: true, text: 'b' },
  ]);
});

describe('FROM', () => {
  test.each([
    ['FROM a', ['a']],
    ['from a', ['a']],
    ['FrOm\ta:1', ['a:1']],
    ['FROM\v\f a', ['a']],
    ['\u00a0FROM a\u00a0', ['a']],
    ['FROM --platform=linux/amd64 a', ['a']],
    ['FROM --platform=$BUILDPLATFORM a AS b', ['a']],
    ['FROM --platform="linux/amd64" a', ['a']],
    ['FROM -- a', ['a']],
    ['FROM a@sha256:0', ['a@sha256:0']],
    ['FROM scratch', []],
    ['FROM Scratch', ['Scratch']],
    ['FROM a AS b\nFROM b', ['a']],
    ['FROM a AS b\nFROM B AS C\nFROM c', ['a']],
    ['FROM a as b\nFROM c AS d\nFROM b', ['a', 'c']],
    ['FROM a AS a\nFROM a', ['a']],
    ['FROM b\nFROM a AS b', ['b', 'a']],
    ['FROM a\nFROM 0', ['a', '0']],
    ['FROM a AS scratch\nFROM scratch', ['a']],
    ['ARG X=b\nFROM a\nFROM $X AS c', ['a', 'b']],
    ['FROM a AS b\nFROM "b"', ['a']],
  ])('%j needs %j', (source, expected) => {
    expect(images(source)).toEqual(expected);
  });

  test('an instruction over several lines is read as one', () => {
    expect(images('FR\\\nOM \\\n# comment\n\n  a \\\n AS b\n')).toEqual(['a']);
    expect(images('# escape=`\nFROM `\n a')).toEqual(['a']);
  });

  test('a name that is broken over lines is refused', async () => {
    expect((await refused('FROM bus\\\nybox')).message).toBe(
      'Dockerfile:1: the name "busybox" is broken over several lines',
    );
    await refused('FROM a AS b\\\nc');
    await refused('FROM a\nCOPY --from=x\\\ny /a /b');
  });

  test.each(['FROM', 'FROM a b', 'FROM a AS', 'FROM a AS b c', 'FROM a # comment', 'FROM a aſ b'])(
    '%j is no FROM to docker either',
    async (source) => {
      expect((await broken(source)).message).toBe('Dockerfile:1: FROM requires either one or three arguments');
    },
  );

  test.each(['FROM a AS 1', 'FROM a AS $X', 'FROM a AS b/c', 'FROM a AS é', 'FROM a AS "b"'])(
    '%j has no stage name',
    async (source) => {
      expect((await broken(source)).message).toStartWith('Dockerfile:1: invalid name for build stage: ');
    },
  );

  test('an empty name is none', async () => {
    expect((await broken('FROM $X')).message).toBe('Dockerfile:1: base name ("$X") should not be blank');
    await broken('FROM ""');
  });

  test('a Dockerfile without a stage builds nothing', async () => {
    expect((await broken('')).message).toBe('Dockerfile: dockerfile contains no stages to build');
    await broken('ARG X=1\n# FROM a');
    expect((await broken('RUN x\nFROM a')).message).toBe('Dockerfile:1: no build stage in current context');
  });
});

describe('ARG', () => {
  test.each([
    ['ARG V=1\nFROM a:$V', {}, 'a:1'],
    ['ARG V=1\nFROM a:$V', { V: '2' }, 'a:2'],
    ['ARG V=1\nFROM a:$V', { V: '' }, 'a:'],
    ['ARG V\nFROM a:$V', { V: '2' }, 'a:2'],
    ['ARG V\nFROM a${V:+:}$V', {}, 'a'],
    ['FROM a$V', { V: '2' }, 'a'],
    ['ARG V="1"\nARG W=${V}.2\nFROM a:$W', {}, 'a:1.2'],
    ["ARG V='$X'\nFROM a:$V", {}, 'a:$X'],
    ['ARG A=x B=y\nFROM $A/$B', {}, 'x/y'],
    ['arg V=1\nARG V=2\nFROM a:$V', {}, 'a:2'],
    ['ARG V=a b\nFROM $V', {}, 'a'],
    ['ARG V="a b" W=c\nFROM $W', {}, 'c'],
    ['ARG V=${X%%.*}\nFROM a', {}, 'a'],
    ['ARG TARGETARCH=x\nFROM a:$TARGETARCH', {}, 'a:x'],
    ['FROM a:$TARGETARCH', { TARGETARCH: 'y' }, 'a:y'],
    ['ARG V=b\\\nc\nFROM a:$V', {}, 'a:bc'],
  ] as const)('%j with %j needs %s', (source, buildArgs, expected) => {
    expect(images(source, { buildArgs })).toEqual([expected]);
  });

  test('an ARG inside a stage says nothing about later FROM lines', () => {
    expect(images('ARG V=1\nFROM a\nARG V=2\nARG W=3\nFROM b:$V$W')).toEqual(['a', 'b:1']);
  });

  test('the platform is known where the command line names one', () => {
    const source = 'FROM a:$TARGETOS-$TARGETARCH-${TARGETVARIANT:-none}';
    expect(images(source, { platforms: ['linux/amd64'] })).toEqual(['a:linux-amd64-none']);
    expect(images(source, { platforms: ['linux/arm/v7'] })).toEqual(['a:linux-arm-v7']);
    expect(images('ARG TARGETARCH\nFROM a:$TARGETARCH', { platforms: ['linux/arm64'] })).toEqual(['a:arm64']);
    expect(images('FROM a:${TARGETPLATFORM}', { platforms: ['linux/s390x'] })).toEqual(['a:linux/s390x']);
  });

  test('the levels of amd64 and version 8 of arm64 are named as BuildKit names them', () => {
    const source = 'FROM a:$TARGETOS-$TARGETARCH-${TARGETVARIANT:-none}';
    expect(images(source, { platforms: ['linux/amd64/v3'] })).toEqual(['a:linux-amd64-v3']);
    expect(images(source, { platforms: ['linux/arm64/v8'] })).toEqual(['a:linux-arm64-none']);
    expect(images('FROM a:${TARGETPLATFORM}', { platforms: ['linux/arm64/v8'] })).toEqual(['a:linux/arm64']);
  });

  test.each([
    { platforms: undefined },
    { platforms: ['linux/x86_64'] },
    { platforms: ['linux/amd64/v1'] },
    { platforms: ['linux/arm'] },
    { platforms: ['amd64'] },
    { platforms: ['local'] },
    { platforms: ['Linux/amd64'] },
    { platforms: ['linux/amd64', 'x'] },
    { platforms: [' linux/amd64'] },
  ])('%j leaves TARGETARCH to the builder', async ({ platforms }) => {
    expect((await refused('FROM a:$TARGETARCH', { platforms })).message).toBe(
      'Dockerfile:1: the image of FROM "a:$TARGETARCH" is not known before the build',
    );
    expect(images('FROM --platform=$TARGETPLATFORM a', { platforms })).toEqual(['a']);
  });

  test('the classic builder sets no platform, and where the builder is not known, both readings have to agree', async () => {
    const platforms = ['linux/amd64'];
    expect(images('FROM a${TARGETARCH:+b}', { platforms, builder: CLASSIC })).toEqual(['a']);
    expect(images('ARG TARGETARCH=c\nFROM a$TARGETARCH', { platforms, builder: CLASSIC })).toEqual(['ac']);
    const builder = { ...BUILDKIT, setsPlatforms: undefined };
    await refused('FROM a${TARGETARCH:+b}', { platforms, builder });
    expect(images('ARG TARGETARCH=c\nFROM a$TARGETARCH', { platforms, builder })).toEqual(['ac']);
  });

  describe('another name for each platform', () => {
    const STAGES = 'FROM a AS base-amd64\nFROM b AS Base-arm64\n';
    const both = { platforms: ['linux/amd64', 'linux/arm64'] };

    test('needs nothing if each of them is a stage, and stays as it is written', () => {
      const source = `${STAGES}FROM "base-\${TARGETARCH}" AS c\nFROM c`;
      expect(images(source, both)).toEqual(['a', 'b']);
      const rewritten = rewriteImages(source, findImageUses(source, settings(both)), settings(both), () => 'p');
      expect(rewritten).toBe('FROM p AS base-amd64\nFROM p AS base-arm64\nFROM "base-${TARGETARCH}" AS c\nFROM c');
    });

    test('may come by way of ARG, and scratch needs nothing either', () => {
      const source = `ARG B=base-$TARGETARCH\n${STAGES}FROM $B`;
      expect(images(source, both)).toEqual(['a', 'b']);
      expect(images(source, { ...both, buildArgs: { B: 'z' } })).toEqual(['a', 'b', 'z']);
      const none = 'FROM a AS v7\nFROM ${TARGETVARIANT:-scratch}';
      expect(images(none, { platforms: ['linux/arm/v7', 'linux/amd64'] })).toEqual(['a']);
    });

    test.each([
      [['linux/amd64', 'linux/s390x'], 'base-s390x'],
      [['linux/arm64', 'linux/amd64', 'linux/arm/v7'], 'base-arm'],
    ])('for %j is refused, since %s is no stage', async (platforms, name) => {
      const source = `${STAGES}FROM base-$TARGETARCH`;
      const { message, next } = await refused(source, { platforms });
      expect(message).toBe(
        `Dockerfile:3: FROM "base-$TARGETARCH" is another name for each platform, and "${name}" is no stage`,
      );
      expect(next).toContain('FROM IMAGE AS NAME');
    });

    test('is a stage to older versions, too, to which ARG without a value is empty, or nothing that they build', async () => {
      expect(images(`ARG TARGETARCH\n${STAGES}FROM base-$TARGETARCH`, both)).toEqual(['a', 'b']);
      const { message } = await refused(`ARG TARGETARCH\n${STAGES}FROM base\${TARGETARCH:+-}$TARGETARCH`, both);
      expect(message).toEndWith('and "base" is no stage');
      const third = `ARG TARGETARCH\n${STAGES}FROM c AS base\nFROM base\${TARGETARCH:+-}$TARGETARCH`;
      expect(images(third, both)).toEqual(['a', 'b', 'c']);
      await refused(`${STAGES}FROM base-$TARGETARCH$TARGETOSVERSION`, both);
    });

    test('is refused before its stage, and where the builder may not set the platform', async () => {
      await refused('FROM base-$TARGETARCH\nFROM a AS base-amd64\nFROM a AS base-arm64', both);
      await refused(`${STAGES}FROM base-$TARGETARCH`, { ...both, builder: { ...BUILDKIT, setsPlatforms: undefined } });
      await refused(`${STAGES}FROM base-$TARGETARCH`, { platforms: undefined });
    });

    test('the variables of the platform that builds work the same way', () => {
      const source = `${STAGES}FROM base-$BUILDARCH`;
      expect(images(source, { buildPlatforms: ['linux/arm64'] })).toEqual(['a', 'b']);
      const arm = platformsOfEngine('linux/arm');
      const each = 'FROM a AS v5\nFROM a AS v6\nFROM a AS v7\nFROM a AS v8\nFROM $BUILDVARIANT';
      expect(images(each, { buildPlatforms: arm })).toEqual(['a', 'a', 'a', 'a']);
    });
  });

  test.each([
    'FROM a:$BUILDARCH',
    'FROM a:$TARGETSTAGE',
    'ARG V=$BUILDOS\nFROM a:$V',
    'ARG V=${X#y}\nFROM a:$V',
    'ARG V=a\\ b\nFROM a:$V',
    'ARG V=`x\nFROM a:$OTHER',
    'ARG "V"=1\nFROM a:$V',
    'ARG V="open\nFROM a:$V',
    'FROM a\\b',
    'FROM "a',
  ])('%j is not known before the build', async (source) => {
    expect((await refused(source, { platforms: ['linux/amd64'] })).message).toMatch(
      /^Dockerfile:\d: the image of FROM .* is not known before the build$|option holds/,
    );
  });
});

describe('COPY --from and RUN --mount', () => {
  test.each([
    ['COPY --from=b /x /y', ['b']],
    ['copy --from=b:1 /x /y', ['b:1']],
    ['COPY --chown=1:1 --from=b /x /y', ['b']],
    ['COPY --link --from=b --chmod=755 /x /y', ['b']],
    ['COPY --from="b" /x /y', ['b']],
    ['COPY --from=\'b\' ["/x", "/y"]', ['b']],
    ['COPY --from=S /x /y', []],
    ['COPY --from=0 /x /y', []],
    ['COPY --from=t /x /y', ['t']],
    ['COPY --from= /x /y', []],
    ['COPY /x /y', []],
    ['COPY --from=b \\\n # c\n /x /y', ['b']],
    ['COPY \\\n --from=b /x /y', ['b']],
    ['RUN --mount=type=bind,from=b,target=/b x', ['b']],
    ['RUN --mount=from=b,target=/b --mount=type=cache,target=/c,from=d x', ['b', 'd']],
    ['RUN --mount=type=bind,FROM=b,target=/b x', ['b']],
    ['RUN --mount=type=bind,from=S,target=/b x', []],
    ['RUN --mount=type=cache,from=scratch,target=/b x', []],
    ['RUN --mount=type=bind,source=from,target=/b x', []],
    ['RUN --mount=type=secret,id="from here" x', []],
    ['RUN --network=none --mount=from=b,target=/b x', ['b']],
    ['RUN x --mount=from=b', []],
    ['RUN -- --mount=from=b', []],
    ['ADD --chown=1 https://example.com/x /x', []],
    ['LABEL --from=b', []],
    ['CMD --from=b', []],
    ['ONBUILD COPY --from=b /x /y', ['b']],
    ['ONBUILD COPY --from=0 /x /y', []],
    ['ONBUILD COPY --from=9 /x /y', []],
    ['onbuild run --mount=from=b,target=/b x', ['b']],
    ['ONBUILD RUN x', []],
  ])('%j needs %j beside its base', (instruction, expected) => {
    expect(images(`FROM a AS s\nFROM s\n${instruction}\nFROM s AS t`)).toEqual(['a', ...expected]);
  });

  test.each([
    ['COPY --from=1 /x /y', 'invalid stage index 1'],
    ['COPY --from=99999999999999999999 /x /y', 'invalid stage index 99999999999999999999'],
  ])('%j has no such stage', async (instruction, message) => {
    expect((await broken(`FROM a AS s\nFROM s\n${instruction}`)).message).toBe(`Dockerfile:3: ${message}`);
  });

  test.each([
    'COPY --from b /x /y',
    'COPY --from',
    'COPY --from=$X /x /y',
    'COPY --from=${X} /x /y',
    'COPY --from=a\\b /x /y',
    'COPY --from=scratch /x /y',
    'COPY --from="b /x /y',
    'COPY --fr"om"=b /x /y',
    'COPY --FROM=b /x /y',
    'COPY --chown=é --from=b /x /y',
    'COPY --chown=\u00e0--from=b /x /y',
    'COPY --chown=a`b --from=b /x /y',
    'COPY --link true --from=b /x /y',
    'COPY --new=b /x /y',
    'ADD --from=b /x /y',
    'FROM --platform linux/amd64 b',
    'FROM --image=b c',
    'RUN --mount type=bind,from=b x',
    'RUN --mount=type=bind,from=$X,target=/b x',
    'RUN --mount=type=bind,from=0,target=/b x',
    'RUN --mount=type=bind,from="b",target=/b x',
    'RUN --mount="type=bind,from=b" x',
    'RUN --mount=\'type=bind,"from=b"\' x',
    'RUN --mount=\'type=bind," from=b"\' x',
    'RUN --mount=\'"type=bind,from=b"\' x',
    'RUN --image=b x',
    'ONBUILD --x=1 RUN y',
    'ONBUILD COPY --from=s /x /y',
    'ONBUILD COPY --from=$X /x /y',
  ])('%j is refused', async (instruction) => {
    expect((await refused(`FROM a AS s\n${instruction}`)).message).toStartWith('Dockerfile:2: ');
  });

  test.each([
    'ONBUILD',
    'ONBUILD ONBUILD RUN x',
    'ONBUILD FROM b',
    'ONBUILD MAINTAINER b',
    `${'ONBUILD '.repeat(9999)}`,
  ])('%.40j is no trigger', async (instruction) => {
    await broken(`FROM a\n${instruction}`);
  });

  test('an unknown instruction is refused: it could be one that fetches', async () => {
    expect((await broken('FROM a\nINCLUDE b')).message).toBe('Dockerfile:2: unknown instruction: "INCLUDE"');
    expect((await broken(`FROM a\n\u001b[31m\u202e${'x'.repeat(200)}`)).message).toBe(
      `Dockerfile:2: unknown instruction: "\\u001b[31m\\u202e${'x'.repeat(94)}..."`,
    );
    await broken('// syntax=b\nFROM a');
    await broken('{"syntax": "b"}');
    await broken('\u200bFROM a');
    await broken('FROM\u00a0a');
  });
});

describe('parser directives', () => {
  test.each([
    ['# syntax=f\nFROM a', ['f', 'a']],
    ['#syntax=f:1\nFROM a', ['f:1', 'a']],
    ['# SYNTAX = f option=1\nFROM a', ['f', 'a']],
    ['#\tsyntax\t=\ff \nFROM a', ['f', 'a']],
    ['# syntax=f\r\nFROM a\r\n', ['f', 'a']],
    ['\ufeff# syntax=f\nFROM a', ['f', 'a']],
    ['  # syntax=f\nFROM a', ['f', 'a']],
    ['#!/bin/sh\n# syntax=f\nFROM a', ['f', 'a']],
    ['# check=skip=all\n# syntax=f\nFROM a', ['f', 'a']],
    ['# other=x\n# syntax=f\nFROM a', ['f', 'a']],
    ['# escape=`\n# syntax=f\nFROM a', ['f', 'a']],
    ['# comment\n# syntax=f\nFROM a', ['a']],
    ['\n# syntax=f\nFROM a', ['a']],
    ['FROM a\n# syntax=f', ['a']],
    ['# syntax\nFROM a', ['a']],
    ['# syntax=\nFROM a', ['a']],
    ['# my syntax=f\nFROM a', ['a']],
    ['## syntax=f\nFROM a', ['a']],
  ])('%j needs %j', (source, expected) => {
    expect(images(source)).toEqual(expected);
  });

  test('a builder that does not obey it needs no image for it', () => {
    expect(images('# syntax=docker/dockerfile:1\nFROM a', { builder: CLASSIC })).toEqual(['a']);
  });

  test.each([
    '# syntax=\vf',
    '# syntax=\u00a0f',
    '# syntax=f\u00a0',
    '#\u2003syntax=f',
    '\u0085# syntax=f',
    '# syntax=f é',
  ])('%j is refused: which characters are blanks, versions see differently', async (line) => {
    expect((await refused(`${line}\nFROM a`)).message).toBe(
      'Dockerfile:1: the syntax directive is not written in plain characters',
    );
  });

  test('a second syntax is refused, as docker does', async () => {
    expect((await broken('# syntax=f\n# syntax=g\nFROM a')).message).toBe(
      'Dockerfile:2: only one syntax parser directive can be used',
    );
  });

  test('escape counts in the first line and nowhere else for certain', async () => {
    expect(images('# Escape = ` \nFROM a\nRUN x `\nFROM b')).toEqual(['a']);
    expect(images('# comment\n# escape=`\nFROM a\nRUN x `\nFROM b')).toEqual(['a', 'b']);
    await refused('# syntax=f\n# escape=`\nFROM a');
    await refused('# check=skip=all\n# escape=`\nFROM a');
    await refused('#!x\n# escape=`\nFROM a');
    await refused('# escape=`\n# escape=`\nFROM a');
    await broken('# escape=x\nFROM a');
    await broken('# escape=\\\\\nFROM a');
  });
});

describe('here-documents', () => {
  test.each([
    'RUN <<EOF\nFROM b\nEOF',
    'RUN <<-EOF\n\tFROM b\n\t\tEOF',
    "RUN <<'EOF' cat\nFROM b\n\\\nx\nEOF",
    'RUN cat <<"EOF" > /x\r\nFROM b\r\nEOF\r',
    'COPY <<one <<two /x\nFROM b\none\nFROM c\ntwo',
    'ADD <<EOF /x\nFROM b\nEOF',
    'ONBUILD RUN <<EOF\nFROM b\nEOF',
    'RUN 3<<EOF cat\nFROM b\nEOF',
    'RUN \\\n <<EOF\nFROM b\nEOF',
    'RUN echo "a $X ${Y} ${Z:-z}" $(x) <<EOF\nFROM b\nEOF',
    "RUN echo 'a \\' <<EOF\nFROM b\nEOF",
    'RUN echo \\"a <<EOF\nFROM b\nEOF',
  ])('the lines of %j are no instructions', (heredoc) => {
    expect(images(`FROM a\n${heredoc}\nCOPY --from=z /x /y`)).toEqual(['a', 'z']);
  });

  test.each([
    'RUN cat<<EOF',
    'RUN cat <<< EOF',
    'RUN cat "<< EOF"',
    'RUN cat \\<< EOF',
    'RUN cat <<<EOF',
    'RUN echo $((1<<2))',
    'RUN echo "<<EOF"',
    "RUN echo ' <<EOF'",
    'RUN echo \\<<EOF',
    'RUN ["sh", "<<EOF"]',
    'COPY ["<<EOF", "/x"]',
    'ENV X=<<EOF',
    'LABEL x=y <<EOF',
    'CMD <<EOF',
  ])('what follows %j is instructions', (instruction) => {
    expect(images(`FROM a\n${instruction}\nFROM b`)).toEqual(['a', 'b']);
  });

  test.each([
    'RUN << EOF\nFROM b\nEOF',
    'RUN cat << EOF',
    'RUN cat<< EOF',
    'RUN <<\tEOF\nFROM b\nEOF',
    'RUN << <<EOF\nFROM b\nEOF',
    'RUN <<<< <<EOF\nFROM b\nEOF',
    'RUN echo $((1 << 2))',
    'RUN <<FROM\nFROM',
    'RUN <<run\nrun',
    'RUN <<"RUN true"\nFROM b\nRUN true',
    'RUN <<"FROM b"\nFROM b',
    'RUN <<#\n#',
    'RUN <<EOF;\nEOF;',
    'RUN <<EOF>x\nEOF>x',
    'RUN <<E"O"F\nEOF',
    'RUN <<$X\n$X',
    'RUN <<1\n1',
    'RUN ((x = 2 <<1))\n1))',
    "RUN echo it's <<EOF\nFROM b\nEOF",
    'RUN echo "it <<EOF\nFROM b\nEOF',
    'RUN echo ${X#y} <<EOF\nFROM b\nEOF',
    'RUN echo "${X/y/z}" <<EOF\nFROM b\nEOF',
    'RUN ["x"] <<EOF\nFROM b\nEOF',
  ])('%j is refused', async (heredoc) => {
    expect((await refused(`FROM a\n${heredoc}`)).message).toStartWith('Dockerfile:2: ');
  });

  test('one without an end is refused, as docker does', async () => {
    expect((await broken('FROM a\nRUN <<EOF\nFROM b\n EOF')).message).toBe('Dockerfile:2: unterminated heredoc');
    await broken('FROM a\nRUN <<EOF\n\tEOF');
  });

  test.each([
    'RUN <<EOF\nFROM evil\nRUN cat /evil; : \\\nEOF',
    'RUN <<EOF\nFROM evil\nRUN cat /evil; : \\ \t\nEOF',
    'RUN <<EOF\nFROM evil\nRUN cat /evil; : \\\n\n  # comment\n \t\nEOF',
    'RUN <<-EOF\nFROM evil\nRUN x \\\n\tEOF',
    'RUN <<EOF\r\nFROM evil\r\nRUN x \\\r\nEOF\r\n',
    'RUN <<EOF\nFROM evil\nRUN x \\\\\nEOF',
    'RUN <<EOF\n\\\nEOF',
    'COPY <<one <<two /x\none\nFROM evil\nRUN x \\\ntwo',
    'ADD <<EOF /x\nFROM evil\nRUN x \\\nEOF',
    'ONBUILD RUN <<EOF\nFROM evil\nRUN x \\\nEOF',
  ])('the end of %j would be none to a builder that knows none', async (heredoc) => {
    const { message, next } = await refused(`FROM signed\n${heredoc}`);
    expect(message).toMatch(/^Dockerfile:\d: the here-document's last line goes on into "(EOF|two)" for builders/);
    expect(next).toBe('Let its last line end without an escape character.');
  });

  test('the escape character of the file is the one that counts', async () => {
    await refused('# escape=`\nFROM a\nRUN <<EOF\nFROM evil\nRUN x `\nEOF');
    expect(images('# escape=`\nFROM a\nRUN <<EOF\nFROM b\nRUN x \\\nEOF')).toEqual(['a']);
    expect(images('FROM a\nRUN <<EOF\nFROM b\n# RUN x \\\nEOF')).toEqual(['a']);
    expect(images('FROM a\nRUN <<EOF\nFROM b \\\nx\nEOF')).toEqual(['a']);
  });

  test('what reads the file in the place of an old BuildKit may know them', async () => {
    const builder = { ...BUILDKIT, name: 'BuildKit of Docker Engine 20.10.24', knowsHeredocs: false };
    const file = (syntax: string) => `# syntax=${syntax}\nFROM a\nRUN <<EOF\nx\nEOF`;
    for (const syntax of [
      'docker/dockerfile:1',
      'docker/dockerfile:1.4',
      'docker.io/docker/dockerfile:1.12.0-labs',
      'f',
    ])
      expect(images(file(syntax), { builder })).toEqual([syntax, 'a']);
    for (const syntax of ['docker/dockerfile:1.3', 'docker/dockerfile:1.0.1', 'docker/dockerfile:1.3-labs'])
      expect((await refused(file(syntax), { builder })).message).toBe(
        'Dockerfile:3: BuildKit of Docker Engine 20.10.24 knows no here-documents',
      );
    await refused(file('docker/dockerfile:1'), { builder: CLASSIC });
  });

  test('a builder that does not know them gets none', async () => {
    const { message, next } = await refused('FROM a\nRUN <<EOF\nx\nEOF', { builder: CLASSIC });
    expect(message).toBe('Dockerfile:2: the classic builder knows no here-documents');
    expect(next).toStartWith('Build with BuildKit');
    expect(images('FROM a\nRUN cat <<< EOF', { builder: CLASSIC })).toEqual(['a']);
  });
});

describe('--build-context', () => {
  test('a name that it gives another meaning is no image', () => {
    const source = 'FROM base\nFROM app:1 AS x\nCOPY --from=files /x /y\nRUN --mount=from=files,target=/b x\nFROM b';
    expect(images(source, { contexts: ['base', 'app:1', 'files'] })).toEqual(['b']);
  });

  test('a stage goes before it', () => {
    expect(images('FROM a AS b\nFROM b', { contexts: ['b'] })).toEqual(['a']);
  });

  test.each([
    ['base', 'base:latest'],
    ['base', 'docker.io/library/base'],
    ['library/base:latest', 'base'],
    ['index.docker.io/library/base', 'base'],
  ])('FROM %s is refused beside the context %s, which only some builders take for it', async (name, context) => {
    await refused(`FROM ${name}`, { contexts: [context] });
  });

  test('another tag or registry is another name', () => {
    expect(images('FROM base:2\nFROM host/base', { contexts: ['base', 'base:1'] })).toEqual(['base:2', 'host/base']);
  });
});

test('a NUL is refused, which ends a text for some readers', async () => {
  expect((await refused('FROM a\n# \0\n')).message).toBe('Dockerfile:2: there is a NUL, which no text has');
});

test('scratch and stages in later lines are told apart', () => {
  expect(images('FROM a\nCOPY --from=late /x /y\nFROM b AS late')).toEqual(['a', 'late', 'b']);
});
