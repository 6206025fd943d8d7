#!/usr/bin/env node
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { type Config, printOptions, readConfig } from '../config/index.ts'
import type { Scope } from '../security/index.ts'
import { describeFaults, SIMULATED_KINDS } from '../simulator/index.ts'
import { fetchEngine } from '../store/index.ts'
import { checkAlive } from './alive.ts'
import { createApiKey, listApiKeys, revokeApiKey } from './api-key.ts'
import { DATABASE_OPTIONS, helpRows, valuesByKey } from './command-options.ts'
import { runDemo } from './demo/demo.ts'
import { runDoctor } from './doctor/doctor.ts'
import { engineCache } from './engine-cache.ts'
import { failWith, serveUntilSignal } from './serve.ts'
import { packageVersion } from './server.ts'
import { runSimulate } from './simulate.ts'

const program = new Command('isthmus')
  .description('CWMP, USP, one device record, and the migration between them')
  .version(packageVersion())
  .showHelpAfterError('(`isthmus <command> --help` shows the options)')
  .showSuggestionAfterError()

addOptions(program.command('serve').description('run the server')).action((flags: Record<string, string>) =>
  run(async () => serveUntilSignal(valuesByKey(flags))),
)

addOptions(
  program
    .command('doctor')
    .description('look at everything that the server needs, and say what to do; changes nothing'),
).action((flags: Record<string, string>) => run(() => runDoctor(configOf(flags), valuesByKey(flags))))

const apiKey = program.command('api-key').description('make, list and revoke API keys on this machine')
addOptions(apiKey.command('create').description('make an API key and print it'), DATABASE_OPTIONS)
  .option('--name <name>', 'name that lists show, 1 to 100 characters', 'made on the machine')
  .addOption(new Option('--scope <scope>', 'what it may do').choices(['read', 'write']).default('write'))
  .action((flags: { name: string; scope: Scope }) => run(() => createApiKey(configOf(flags), flags)))
addOptions(apiKey.command('list').description('list API keys, without their texts'), DATABASE_OPTIONS).action(
  (flags: Record<string, string>) => run(() => listApiKeys(configOf(flags))),
)
addOptions(apiKey.command('revoke').description('revoke an API key').argument('<id>'), DATABASE_OPTIONS).action(
  (id: string, flags: Record<string, string>) => run(() => revokeApiKey(configOf(flags), id)),
)

program
  .command('simulate')
  .description('run simulated boxes against a server')
  .optionsGroup('Servers:')
  .requiredOption('--acs-url <url>', 'CWMP address of the server, http or https')
  .requiredOption('--enrolment-secret <secret>', 'CWMP password of new boxes')
  .option('--usp-host <host>', 'host of the USP listener', '127.0.0.1')
  .option('--usp-port <port>', 'port of the USP listener', '8183')
  .option('--usp-path <path>', 'path of the USP WebSocket', '/usp')
  .option('--usp-tls', 'boxes that are delivered with a Controller reach it over TLS')
  .option('--trust <file>', 'PEM certificate by which boxes know both servers, beside the system’s own')
  .option('--endpoint-id <id>', 'Endpoint ID of the Controller', 'proto::isthmus')
  .optionsGroup('Fleet:')
  .option('--devices <n>', 'how many boxes, in the mix of the demo', '200')
  .option('--mix <kind=n,...>', `how many of each kind instead: ${SIMULATED_KINDS.join(', ')}`)
  .option('--fault-every <n>', 'every n-th box has a fault; 0 = none', '10')
  .option('--faults <list>', 'which ones, dealt out in turn; a+b gives both to one box; default: most of those below')
  .option('--fault-kinds <list>', 'kinds that can have faults, or all', 'dualStack')
  .option('--seed <n>', 'another fleet for another number', '1')
  .optionsGroup('Behaviour:')
  .option('--state-dir <dir>', 'folder for the boxes to keep their settings in')
  .option('--listen-host <host>', 'address for connection requests to the boxes', '127.0.0.1')
  .option('--time-scale <n>', 'waits of the boxes are divided by this', '10')
  .option('--inform-interval <s>', 'PeriodicInformInterval the boxes are delivered with', '300')
  .option('--stagger <ms>', 'pause between two boxes being switched on', '10')
  .addHelpText('after', `\nFaults:\n${describeFaults()}`)
  .action((flags: Record<string, string | boolean>) => run(() => runSimulate(flags)))

program
  .command('demo')
  .description('server, simulated fleet and a migration, on this machine')
  .option('--devices <n>', 'how many boxes; default: as many as last time, at first 200')
  .option('--once', 'end when the migration is finished; exit code 0 when every device is where it should be')
  .option('--data-dir <dir>', 'folder for everything the demo keeps', join('data', 'demo'))
  .action((flags: { devices?: string; once?: boolean; dataDir: string }) => run(() => runDemo(flags)))

addOptions(
  program.command('alive').description('ask the server on this machine whether it lives; exit code 0 when it does'),
  ['apiHost', 'apiPort'],
).action((flags: Record<string, string>) => run(() => checkAlive(configOf(flags))))

program
  .command('engine')
  .description('fetch the embedded database unless it is there')
  .option('--cache <dir>', 'folder to keep it in; default: where the server looks for it')
  .action((flags: { cache?: string }) =>
    run(async () => void (await fetchEngine(flags.cache ?? engineCache('data'), console.log))),
  )

program
  .command('options')
  .description('print the configuration table of the README')
  .action(() => console.log(printOptions()))

const names = program.commands.map((command) => command.name()).join(', ')
program.showHelpAfterError(`(commands: ${names}; \`isthmus --help\` says what they do)`)
program.parse()

function run(work: () => Promise<void>): void {
  work().catch(failWith)
}

/** The rows of the option table as options of a command, in their groups. */
function addOptions(command: Command, keys?: Parameters<typeof helpRows>[0]): Command {
  for (const { flags, text, group } of helpRows(keys)) command.addOption(new Option(flags, text).helpGroup(group))
  return command
}

function configOf(flags: object): Config {
  return readConfig(valuesByKey({ ...flags }), process.env)
}
