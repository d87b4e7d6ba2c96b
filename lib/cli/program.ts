import { Command } from 'commander';
import { addAlertsCommand } from './commands/alerts.js';
import { addBulkCommands } from './commands/bulk.js';
import { addCompletionCommand } from './commands/completion.js';
import { addDashboardCommand } from './commands/dashboard.js';
import { addDeskCommands } from './commands/desk.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEnqueueCommand } from './commands/enqueue.js';
import { addEventsCommand } from './commands/events.js';
import { addFailuresCommand } from './commands/failures.js';
import { addHistoryCommand } from './commands/history.js';
import { addInfoCommand } from './commands/info.js';
import { addJobCommand } from './commands/job.js';
import { addJobsCommand } from './commands/jobs.js';
import { addLimitsCommand } from './commands/limits.js';
import { addMetricsCommand } from './commands/metrics.js';
import { addQueueCommands } from './commands/queue.js';
import { addSchedulesCommand } from './commands/schedules.js';
import { addTopCommand } from './commands/top.js';
import { addUndoCommand } from './commands/undo.js';
import { addWorkersCommand } from './commands/workers.js';
import type { Io } from './io.js';
import type { Action, CommonFlags } from './run.js';

/** Runs the action of a command with the flags that were given. */
export type Runner = (flags: CommonFlags, action: Action) => Promise<void>;

/** Adds a command with the flags that all have. */
export type AddCommand = (name: string, description: string) => Command;

/** The commands of `nestjs-rq`, each in a file of its own. */
export function buildProgram(run: Runner, io: Io): Command {
  const program = new Command('nestjs-rq')
    .description('Sees and operates the queues of a Redis: those of nestjs-rq and of Python RQ.')
    .helpCommand('help [command]', 'shows what a command takes')
    .showHelpAfterError('(nestjs-rq help shows what there is)');
  const add: AddCommand = (name, description) =>
    program
      .command(name)
      .description(description)
      .option('-u, --url <url>', 'Redis; default: RQ_REDIS_URL, REDIS_URL, redis://localhost:6379')
      .option('--password-file <file>', 'a file with the password of Redis')
      .option('--prefix <text>', 'how the keys begin; default: rq:')
      .option('--cluster', 'the URL is that of a node of a cluster')
      .option('--layout <name>', 'cluster: the names of a cluster, on one server')
      .option('--timeout <seconds>', 'how long Redis may take to answer; default 5')
      .option('--json', 'JSON, one value a line');
  addInfoCommand(add, run);
  addJobsCommand(add, run);
  addJobCommand(add, run);
  addBulkCommands(add, run);
  addQueueCommands(add, run);
  addWorkersCommand(add, run);
  addFailuresCommand(add, run);
  addHistoryCommand(add, run);
  addLimitsCommand(add, run);
  addAlertsCommand(add, run);
  addDashboardCommand(add, run);
  addDoctorCommand(add, run);
  addEnqueueCommand(add, run);
  addSchedulesCommand(add, run);
  addEventsCommand(add, run);
  addTopCommand(add, run);
  addMetricsCommand(add, run);
  addUndoCommand(add, run);
  addDeskCommands(add, run);
  addCompletionCommand(program, io, run);
  return program;
}
