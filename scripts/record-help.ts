import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { listedCommands, usageWords } from '../test/engine/command-tree.ts';
import { run } from '../test/support/run.ts';

/** The home folder in the recorded help, as long as the temporary one: lines must wrap the same. */
const HOME = '/home/alice';
/** Commands that no help lists. Each is recorded if the CLI has it. */
const UNLISTED = [
  ...['builder build', 'checkpoint', 'completion', 'help', 'system dial-stdio'],
  ...['buildx install', 'buildx uninstall', 'buildx dap attach', 'compose alpha'],
];
const EVERYTHING = { 'Api-Version': '1.99', 'Docker-Experimental': 'true' };

/**
 * Records the help of every command of a docker CLI and its plugins, in the form that `readTree` reads. Uses a fake
 * engine that supports everything and names no system, so that nothing is left out; only commands that exist for Linux
 * alone are asked with a Linux engine. Includes buildx's experimental commands.
 */
async function record(docker: string, plugins: readonly string[]): Promise<string> {
  const home = mkdtempSync('/tmp/');
  const engines = ['', 'linux'].map((system) =>
    Bun.serve({
      unix: join(home, `${system}.sock`),
      fetch: () => new Response('OK', { headers: { ...EVERYTHING, Ostype: system } }),
    }),
  );
  const env = {
    PATH: dirname(docker),
    HOME: home,
    DOCKER_CLI_EXPERIMENTAL: 'enabled',
    BUILDX_EXPERIMENTAL: '1',
  };
  const help = async (command: readonly string[], system: string) => {
    const host = `unix://${join(home, `${system}.sock`)}`;
    return (await run([docker, ...command, '--help'], { env: { ...env, DOCKER_HOST: host } })).stdout;
  };
  try {
    const folder = join(home, '.docker', 'cli-plugins');
    mkdirSync(folder, { recursive: true });
    for (const plugin of plugins) symlinkSync(plugin, join(folder, basename(plugin)));
    const texts = new Map<string, string>();
    const waiting: (readonly string[])[] = [[], ...UNLISTED.map((words) => words.split(' '))];
    for (const command of waiting) {
      const answers = [await help(command, ''), await help(command, 'linux')];
      const text = answers.find((answer) => isHelpOf(command, answer));
      if (text === undefined) {
        console.error(`no help of docker ${command.join(' ')}`);
        continue;
      }
      texts.set(command.join(' '), text.replaceAll(home, HOME).trim());
      waiting.push(...listedCommands(text).map((word) => [...command, word]));
    }
    const sorted = [...texts].sort(([one], [other]) => (one < other ? -1 : 1));
    return sorted.map(([name, text]) => `== docker ${name}`.trim().concat('\n', text, '\n')).join('\n');
  } finally {
    for (const engine of engines) await engine.stop(true);
    rmSync(home, { recursive: true });
  }
}

/** Whether it is that command's help; buildx documents build commands, and those below `docker builder`, as its own. */
function isHelpOf(command: readonly string[], text: string): boolean {
  const [name, last] = [command.at(-1), usageWords(text).slice(1).at(-1)];
  return text.includes('Usage:') && (last === name || (name === 'builder' && last === 'buildx'));
}

const [docker, file, ...plugins] = process.argv.slice(2).map((path) => resolve(path));
if (docker === undefined || file === undefined) throw new Error('usage: record-help.ts DOCKER FILE [PLUGIN...]');
writeFileSync(file, await record(docker, plugins));
