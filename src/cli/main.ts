#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import {
  BRIDGE_OPTIONS,
  type Config,
  DEMO_OPTIONS,
  OPTIONS,
  type OptionRow,
  printOptions,
  readConfig,
  readFlags,
  SIMULATE_OPTIONS,
} from '../config/index.ts'
import { runDemo } from '../demo/index.ts'
import type { Scope } from '../security/index.ts'
import { describeFamilies, describeFaults, describeRouterProfiles, SIMULATED_KINDS } from '../simulator/index.ts'
import { fetchEngine } from '../store/index.ts'
import { createApiKey, listApiKeys, revokeApiKey } from './api-key.ts'
import { runBridge } from './bridge/run-bridge.ts'
import { DATABASE_OPTIONS, helpRows, serverOptions, valuesByKey } from './command-options.ts'
import { runDoctor } from './doctor/doctor.ts'
import { checkAlive } from './parts/alive.ts'
import { engineCache } from './parts/engine-cache.ts'
import { listCertificates, revokeCertificate, showAuthority } from './pki.ts'
import { failWith, serveUntilSignal } from './server/serve.ts'
import { packageVersion } from './server/version.ts'
import { runSimulate } from './simulate.ts'

const program = new Command('isthmus')
  .description('CWMP, USP, one device record, and the migration between them')
  .version(packageVersion())
  .showHelpAfterError('(`isthmus <command> --help` shows the options)')
  .showSuggestionAfterError()

addOptions(program.command('serve').description('run the server')).action((flags: Record<string, string>) =>
  run(async () => serveUntilSignal(valuesByKey(OPTIONS, flags))),
)

addOptions(
  program
    .command('doctor')
    .description('look at everything that the server needs, and say what to do; changes nothing'),
).action((flags: Record<string, string>) => run(() => runDoctor(configOf(flags), valuesByKey(OPTIONS, flags))))

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

const pki = program.command('pki').description('show the certificate authority, list and revoke its certificates')
addOptions(pki.command('show').description('print the certificate of the authority (PEM)'), DATABASE_OPTIONS).action(
  (flags: Record<string, string>) => run(() => showAuthority(configOf(flags))),
)
addOptions(pki.command('list').description('list the certificates that were issued'), DATABASE_OPTIONS)
  .option('--owner <owner>', 'only those of one holder, such as bridge:<id>')
  .action((flags: { owner?: string }) => run(() => listCertificates(configOf(flags), flags)))
addOptions(
  pki.command('revoke').description('revoke a certificate').argument('<serial>', 'as `pki list` shows it'),
  DATABASE_OPTIONS,
)
  .option('--reason <text>', 'reason that the record keeps', 'revoked by an operator')
  .action((id: string, flags: { reason: string }) => run(() => revokeCertificate(configOf(flags), id, flags.reason)))

addRows(program.command('simulate').description('run simulated devices against a server'), SIMULATE_OPTIONS, false)
  .addHelpText(
    'after',
    `\nKinds: ${SIMULATED_KINDS.join(', ')}\n\nFamilies:\n${describeFamilies()}` +
      `\n\nFaults:\n${describeFaults()}\n\nProfiles of MikroTik routers:\n${describeRouterProfiles()}`,
  )
  .action((flags: Record<string, string | boolean>) =>
    run(async () => runSimulate(readFlags(SIMULATE_OPTIONS, valuesByKey(SIMULATE_OPTIONS, flags)))),
  )

addRows(
  program.command('bridge').description('speak USP for MikroTik routers, which have no Agent of their own'),
  BRIDGE_OPTIONS,
  true,
).action((flags: Record<string, string | boolean>) => run(() => runBridge(valuesByKey(BRIDGE_OPTIONS, flags))))

addRows(
  program.command('demo').description('server, simulated fleet and a migration, on this machine'),
  DEMO_OPTIONS,
  false,
).action((flags: Record<string, string | boolean>) =>
  run(async () => runDemo(fileURLToPath(import.meta.url), readFlags(DEMO_OPTIONS, valuesByKey(DEMO_OPTIONS, flags)))),
)

addOptions(
  program
    .command('alive')
    .description(
      'ask the server on this machine whether it lives, or with --api-port a bridge by its health port; exit code 0 when it does',
    ),
  serverOptions(['apiHost', 'apiPort']),
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

/** Runs a command; what it throws, also before its first wait, ends the process with a sentence. */
function run(work: () => Promise<void>): void {
  Promise.resolve().then(work).catch(failWith)
}

/** Adds rows of the server's table, all of them by default, as options of a command. */
function addOptions(command: Command, rows: readonly OptionRow[] = OPTIONS): Command {
  return addRows(command, rows, true)
}

/** Adds the rows of an option table as options of a command, in their groups. */
function addRows(command: Command, rows: readonly OptionRow[], variables: boolean): Command {
  for (const { flags, text, group, required } of helpRows(rows, variables))
    command.addOption(new Option(flags, text).helpGroup(group).makeOptionMandatory(required))
  return command
}

function configOf(flags: object): Config {
  return readConfig(valuesByKey(OPTIONS, { ...flags }), process.env)
}
