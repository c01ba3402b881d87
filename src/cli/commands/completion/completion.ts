import { SignetError } from '../../../core/errors/index.ts';
import { quoted } from '../../../core/printable.ts';
import { carryOut, parseCommand } from '../../line/command.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import { ProcessTerminal, type Terminal } from '../../terminal/terminal.ts';
import { SCRIPTS } from './scripts.ts';

const SHELLS = [...SCRIPTS.keys()];

export const COMPLETION: Command<Terminal> = {
  program: 'signet',
  path: 'completion',
  summary: 'Print the completion script of a shell',
  details: `The script asks signet for the words that may stand next: commands, options,
and the repositories, tags, keys, roles and signers that this machine knows.
Docker's words are docker's own.`,
  args: [{ name: 'SHELL', takes: SHELLS }],
  flags: [
    {
      name: 'docker',
      type: 'switch',
      about: 'Complete docker as well, for a docker that is an alias of signet',
    },
  ],
  examples: [
    { about: 'Bash, in ~/.bashrc: source <(signet completion bash --docker)', line: 'completion bash --docker' },
    { about: 'Zsh, into a folder of $fpath: signet completion zsh > ~/.zfunc/_signet', line: 'completion zsh' },
    {
      about: 'Fish: signet completion fish > ~/.config/fish/completions/signet.fish',
      line: 'completion fish',
    },
    {
      about: 'PowerShell, in $PROFILE: signet completion powershell | Out-String | Invoke-Expression',
      line: 'completion powershell',
    },
  ],
  run: completion,
};

/** `signet completion [--docker] SHELL`. */
export async function completionCommand(words: readonly string[]): Promise<number> {
  return carryOut(COMPLETION, new ProcessTerminal(), parseCommand(COMPLETION, words));
}

async function completion(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const [shell = ''] = parsed.args;
  const script = SCRIPTS.get(shell);
  if (script === undefined) {
    throw new SignetError(
      'usage',
      `there is no completion for ${quoted(shell, 40)}; there is for ${SHELLS.join(', ')}`,
    );
  }
  terminal.print(script(parsed.has('docker') ? ['signet', 'docker'] : ['signet']));
  return 0;
}
