/** The completion script for each shell, as a function of the programs to complete. */
export const SCRIPTS: ReadonlyMap<string, (programs: readonly string[]) => string> = new Map([
  ['bash', bash],
  ['fish', fish],
  ['powershell', powershell],
  ['zsh', zsh],
]);

/**
 * Bash splits words at colons and equals signs, which image names and options contain. The script joins the parts
 * again, and removes from the candidates the part that bash counts as earlier words.
 */
function bash(programs: readonly string[]): string {
  return String.raw`# Completion of signet for bash.
__signet_complete() {
  local rest=${'$'}{COMP_LINE:0:COMP_POINT} word index directive before line
  local -a words=() lines=()
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${'$'}{COMP_WORDS[index]}
    if ((index == 0)) || [[ $rest == [[:space:]]* ]]; then
      rest=${'$'}{rest#"${'$'}{rest%%[![:space:]]*}"}
      words+=("")
    fi
    # The word in which the cursor stands ends there.
    [[ ${'$'}{#word} -gt ${'$'}{#rest} ]] && word=$rest
    words[${'$'}{#words[@]} - 1]+=$word
    rest=${'$'}{rest:${'$'}{#word}}
  done
  local current=${'$'}{words[${'$'}{#words[@]} - 1]}
  mapfile -t lines < <(command signet __complete "=$current" "${'$'}{words[@]:1:${'$'}{#words[@]} - 2}" 2>/dev/null)
  directive=:none
  if ((${'$'}{#lines[@]})); then
    directive=${'$'}{lines[${'$'}{#lines[@]} - 1]}
    unset "lines[${'$'}{#lines[@]} - 1]"
  fi
  before=${'$'}{current%"${'$'}{current##*[:=]}"}
  [[ $COMP_WORDBREAKS == *:* || $before != *: ]] || before=${'$'}{current%"${'$'}{current##*=}"}
  [[ $COMP_WORDBREAKS == *=* || $before != *= ]] || before=
  COMPREPLY=()
  for line in "${'$'}{lines[@]}"; do
    line=${'$'}{line%%$'\t'*}
    COMPREPLY+=("${'$'}{line#"$before"}")
  done
  case $directive in
    :files)
      compopt -o filenames 2>/dev/null
      mapfile -t -O "${'$'}{#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${'$'}{current#"$before"}")
      ;;
    :folders)
      compopt -o filenames 2>/dev/null
      mapfile -t -O "${'$'}{#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${'$'}{current#"$before"}")
      ;;
    :nospace) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F __signet_complete ${programs.join(' ')}
`;
}

function zsh(programs: readonly string[]): string {
  return String.raw`#compdef ${programs.join(' ')}
# Completion of signet for zsh.
_signet() {
  local -a lines told silent
  local line directive word
  lines=("${'$'}{(@f)$(command signet __complete "=$PREFIX" "${'$'}{(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  directive=${'$'}{lines[-1]}
  lines[-1]=()
  for line in "${'$'}{lines[@]}"; do
    [[ -n $line ]] || continue
    word=${'$'}{line%%$'\t'*}
    if [[ $line == *$'\t'* ]]; then
      told+=("${'$'}{word//:/\\:}:${'$'}{line#*$'\t'}")
    else
      silent+=("$word")
    fi
  done
  local -a options
  [[ $directive == :nospace ]] && options=(-S '')
  ((${'$'}{#told})) && _describe -V words told $options
  ((${'$'}{#silent})) && compadd $options -a silent
  case $directive in
    :files) compset -P '--*='; _files ;;
    :folders) compset -P '--*='; _files -/ ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _signet "$@"
else
  compdef _signet ${programs.join(' ')}
fi
`;
}

function fish(programs: readonly string[]): string {
  return String.raw`# Completion of signet for fish.
function __signet_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command signet __complete "=$current" $words[2..] 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive $lines[-1]
    set -e lines[-1]
    test (count $lines) -gt 0; and printf '%s\n' $lines
    set -l value (string replace -r '^--[^=]*=' '' -- $current)
    set -l before (string sub -l (math (string length -- $current) - (string length -- $value)) -- $current)
    switch $directive
        case :files
            __fish_complete_path $value | string replace -r '^' -- $before
        case :folders
            __fish_complete_directories $value | string replace -r '^' -- $before
    end
end
${programs.map((program) => `complete -c ${program} -e\ncomplete -c ${program} -f -a '(__signet_complete)'\n`).join('')}`;
}

function powershell(programs: readonly string[]): string {
  return `# Completion of signet for PowerShell.
Register-ArgumentCompleter -Native -CommandName ${programs.map((program) => `'${program}'`).join(', ')} -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $signet = Get-Command -Name signet -CommandType Application -TotalCount 1 -ErrorAction SilentlyContinue
    if ($null -eq $signet) { return }
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    $lines = @(& $signet __complete "=$wordToComplete" @words 2>$null)
    if ($lines.Count -eq 0) { return }
    $directive = $lines[-1]
    $lines | Select-Object -SkipLast 1 | ForEach-Object {
        $word, $about = $_ -split "${'`'}t", 2
        if (-not $about) { $about = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
    }
    if ($directive -eq ':files' -or $directive -eq ':folders') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    }
}
`;
}
