import { type Attack, type Ending, play } from './malicious/play.ts';

// Attacks with text that two parsers could read differently, or that no parser should try to read. No checksum says what
// a timestamp must be, so it is where anybody can try.

const texts: readonly (readonly [name: string, edit: (file: string) => string, code: Ending])[] = [
  ['names a member twice', (file) => file.replace('{"signed":', '{"signed":{},"signed":'), 'json-duplicate-key'],
  ['names a member in capitals too', (file) => file.replace('{"signed":', '{"Signed":{},"signed":'), 'json-unexpected'],
  [
    'names a member with a long s too',
    (file) => file.replace('{"signed":', '{"\u017figned":{},"signed":'),
    'json-unexpected',
  ],
  ['has more members', (file) => file.replace('{"signed":', '{"x":1,"signed":'), 'json-unexpected'],
  ['goes on after its end', (file) => `${file}{}`, 'json-malformed'],
  ['begins with a byte order mark', (file) => `\ufeff${file}`, 'json-malformed'],
  [
    'has a version beyond exactness',
    (file) => file.replace(/"version":\d+/, '"version":9007199254740993'),
    'json-number-unsafe',
  ],
  ['has a version with an exponent', (file) => file.replace(/"version":(\d+)/, '"version":$1e0'), 'json-number-unsafe'],
  ['is nested without end', () => '['.repeat(500_000), 'json-too-deep'],
  ['is empty', () => '', 'json-malformed'],
  ['is a page', () => '<html></html>', 'json-malformed'],
  ['is null', () => 'null', 'json-unexpected'],
];
play(
  texts.map(
    ([name, edit, code]): Attack => ({
      name,
      lie: ({ server, simulator }) =>
        void server.lies.set('timestamp', Buffer.from(edit(simulator.file('timestamp').toString()))),
      warm: code,
      cold: code,
    }),
  ),
);
