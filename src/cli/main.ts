#!/usr/bin/env node
import { join } from 'node:path'
import { Command } from 'commander'
import { OPTIONS, type OptionRow, printOptions, variableOf } from '../config/index.ts'
import { BOX_KINDS, describeFaults } from '../simulator/index.ts'
import { fetchEngine } from '../store/index.ts'
import { runDemo } from './demo/demo.ts'
import { failWith, serveUntilSignal } from './serve.ts'
import { packageVersion } from './server.ts'
import { runSimulate } from './simulate.ts'

const program = new Command('isthmus')
  .description('CWMP, USP, one device record, and the migration between them')
  .version(packageVersion())

const serve = program.command('serve', { isDefault: true }).description('run the server')
for (const row of OPTIONS as readonly OptionRow[])
  serve.option(`${row.flag} <value>`, `${row.sentence} [${variableOf(row)}]`)
serve.action((flags: Record<string, string>) => run(async () => serveUntilSignal(byKey(flags))))

program
  .command('simulate')
  .description('run simulated boxes against a server')
  .requiredOption('--acs-url <url>', 'CWMP address of the server, http or https')
  .requiredOption('--enrolment-secret <secret>', 'CWMP password of new boxes')
  .option('--usp-host <host>', 'host of the USP listener', '127.0.0.1')
  .option('--usp-port <port>', 'port of the USP listener', '8183')
  .option('--usp-path <path>', 'path of the USP WebSocket', '/usp')
  .option('--usp-tls', 'boxes that are delivered with a Controller reach it over TLS')
  .option('--trust <file>', 'PEM certificate by which boxes know both servers, beside the system’s own')
  .option('--endpoint-id <id>', 'Endpoint ID of the Controller', 'proto::isthmus')
  .option('--devices <n>', 'how many boxes, in the mix of the demo', '200')
  .option('--mix <kind=n,...>', `how many of each kind instead: ${BOX_KINDS.join(', ')}`)
  .option('--fault-every <n>', 'every n-th box has a fault; 0 = none', '10')
  .option('--faults <list>', 'which ones, dealt out in turn; a+b gives both to one box; default: most of those below')
  .option('--fault-kinds <list>', 'kinds that can have faults, or all', 'dualStack')
  .option('--seed <n>', 'another fleet for another number', '1')
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

program
  .command('engine')
  .description('fetch the embedded database unless it is there')
  .option('--cache <dir>', 'folder to keep it in', join('data', 'engine'))
  .action((flags: { cache: string }) => run(async () => void (await fetchEngine(flags.cache, console.log))))

program
  .command('options')
  .description('print the configuration table of the README')
  .action(() => console.log(printOptions()))

program.parse()

function run(work: () => Promise<void>): void {
  work().catch(failWith)
}

/** commander names flags in camelCase of the flag; the table has its own keys. */
function byKey(flags: Record<string, string>): Record<string, string | undefined> {
  const camel = (flag: string) => flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries((OPTIONS as readonly OptionRow[]).map((row) => [row.key, flags[camel(row.flag)]]))
}
