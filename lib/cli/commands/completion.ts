import type { Command } from 'commander';
import { CliError, EXIT } from '../exit-codes.js';
import type { Runner } from '../program.js';
import type { Io } from '../io.js';
import type { CommonFlags } from '../run.js';

/** `nestjs-rq completion`: what a shell needs to complete words. Names of queues are asked for while one types. */
export function addCompletionCommand(program: Command, io: Io, run: Runner): void {
  program
    .command('completion')
    .description('a script that completes words: source <(nestjs-rq completion bash)')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) => {
      const script = SCRIPTS[shell as keyof typeof SCRIPTS];
      if (!script) throw new CliError('The shell must be bash, zsh or fish.', EXIT.usage);
      io.stdout.write(script);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const command = program.commands.find((one) => one.name() === words[0]);
      if (words.length <= 1 || !command) {
        const names = program.commands.map((one) => one.name());
        for (const name of names) if (!name.startsWith('_')) io.stdout.write(`${name}\n`);
        return;
      }
      if (words.at(-1)?.startsWith('-')) {
        for (const { long } of command.options) if (long) io.stdout.write(`${long}\n`);
        return;
      }
      const flags: CommonFlags = { timeout: '0.3' };
      await run(flags, async ({ inspector, output }) => {
        for (const name of await inspector.names()) output.line(name);
        return EXIT.done;
      });
    });
}

const SCRIPTS = {
  bash: `_nestjs_rq() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(nestjs-rq __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _nestjs_rq nestjs-rq
`,
  zsh: `#compdef nestjs-rq
_nestjs_rq() {
  local -a found
  found=(\${(f)"$(nestjs-rq __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a found
}
compdef _nestjs_rq nestjs-rq
`,
  fish: `complete -c nestjs-rq -f -a '(nestjs-rq __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
} as const;
