/**
 * `mesh-edge completion SHELL`: the script by which a shell completes commands, options and the words that options take; where there are none,
 * files. Libraries that do this offer no files, and paths are what is typed most.
 */
import { Argument, type Command, type Option } from 'commander';

const SCRIPTS: Readonly<Record<string, (words: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: (words) => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}`,
  fish: fishScript,
};

interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
}

export function register(program: Command): void {
  program
    .command('completion')
    .description('print the script by which a shell completes commands, options and files')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: string) => {
      const words = program.commands.map((command) => ({
        name: command.name(),
        description: command.description(),
        options: command.createHelp().visibleOptions(command),
      }));
      process.stdout.write(SCRIPTS[shell]?.(words) ?? '');
    });
}

function bashScript(commands: readonly CommandWords[]): string {
  const cases = commands.flatMap(({ name, options }) => {
    const names = options.flatMap(({ short, long }) => [short, long]).filter((one) => one !== undefined);
    const taking = options.filter(({ argChoices }) => argChoices !== undefined);
    return [
      ...taking.map(({ long, argChoices = [] }) => `    ${name}:${long ?? ''}) offered="${argChoices.join(' ')}" ;;`),
      `    ${name}:*) case "$current" in -*) offered="${names.join(' ')}" ;; esac ;;`,
    ];
  });
  return `_mesh_edge() {
  local current="\${COMP_WORDS[COMP_CWORD]}" offered=""
  if [ "$COMP_CWORD" -eq 1 ]; then offered="${commands.map(({ name }) => name).join(' ')}"
  else case "\${COMP_WORDS[1]}:\${COMP_WORDS[COMP_CWORD-1]}" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$offered" -- "$current"))
}
complete -o default -F _mesh_edge mesh-edge
`;
}

function fishScript(commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
  const lines = commands.flatMap(({ name, description, options }) => [
    `complete -c mesh-edge -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
    ...options.flatMap(({ short, long, description: what, argChoices, required }) => {
      const names = [...(short ? [`-s ${short.slice(1)}`] : []), ...(long ? [`-l ${long.slice(2)}`] : [])].join(' ');
      const values = argChoices === undefined ? (required ? ' -r' : '') : ` -x -a ${quoted(argChoices.join(' '))}`;
      return `complete -c mesh-edge -n '__fish_seen_subcommand_from ${name}' ${names}${values} -d ${quoted(what)}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}
