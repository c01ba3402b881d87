import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Stands in for docker's program: shows its help, and writes down what a build was given. */
const argv = process.argv.slice(2);
const { FAKE_HELP = '', FAKE_VERSION = '', FAKE_RECORD = '', FAKE_EXIT = '0', FAKE_SECONDS = '0' } = process.env;
if (argv[0] === '--version') {
  console.log(FAKE_VERSION);
} else if (argv.length === 2 && argv[1] === '--help' && /^build(?:x|er)$/.test(argv[0] ?? '')) {
  console.log(
    `Usage:  docker ${argv[0]} [OPTIONS] COMMAND\n\nOptions:\n      --builder string   Use another builder\n`,
  );
} else if (argv.includes('--help')) {
  process.stdout.write(readFileSync(FAKE_HELP, 'utf8'));
} else if (argv.includes('inspect')) {
  process.stdout.write(readFileSync(process.env.FAKE_INSPECT ?? '', 'utf8'));
} else {
  const flag = argv.findLastIndex((word) => word === '--file' || word === '-f');
  const file = flag < 0 ? undefined : argv[flag + 1];
  const isPiped = argv.at(-1) === '-' || file === '-';
  const folder = file === undefined || isPiped ? undefined : dirname(file);
  const context = argv.at(-1) ?? '';
  const record = {
    argv,
    trust: process.env.DOCKER_CONTENT_TRUST,
    dockerfile: isPiped ? await Bun.stdin.text() : file === undefined ? undefined : readFileSync(file, 'latin1'),
    beside: folder === undefined ? [] : readdirSync(folder).sort(),
    modes: folder === undefined ? [] : [folder, dirname(folder), file ?? ''].map((path) => statSync(path).mode & 0o777),
    ignored: existsSync(`${file}.dockerignore`) ? readFileSync(`${file}.dockerignore`, 'utf8') : undefined,
    policy: existsSync(`${file}.rego`) ? readFileSync(`${file}.rego`, 'utf8') : undefined,
    buildkit: process.env.DOCKER_BUILDKIT,
    context: existsSync(context) && statSync(context).isDirectory() ? readdirSync(context).sort() : [],
    inContext: existsSync(join(context, 'Dockerfile')) ? readFileSync(join(context, 'Dockerfile'), 'utf8') : undefined,
  };
  writeFileSync(FAKE_RECORD, JSON.stringify(record));
  await Bun.sleep(Number(FAKE_SECONDS) * 1000);
  process.exitCode = Number(FAKE_EXIT);
}
