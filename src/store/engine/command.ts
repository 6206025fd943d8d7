import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const ENGINES = ['mongod', 'secantusdb'] as const
/** The engine that keeps a data folder. */
export type EngineKind = (typeof ENGINES)[number]

/** Returns the engine whose files the folder has; undefined when no engine was started over it. */
export function engineOf(folder: string): EngineKind | undefined {
  return ENGINES.find((kind) => existsSync(join(folder, kind)))
}

/**
 * The command that starts an engine, and the line that it prints when it listens; `port` in it is the port, if the line
 * has it.
 */
interface EngineCommand {
  args: string[]
  ready: RegExp
}

/**
 * Returns the command line of an engine over its own folder in `folder`. Port 0 and `login` are for SecantusDB alone:
 * with port 0 it takes a free port, with a login it refuses clients that have not logged in.
 */
export function engineCommand(kind: EngineKind, folder: string, port: number, login: boolean): EngineCommand {
  const storage = join(folder, kind)
  mkdirSync(storage, { recursive: true })
  return kind === 'mongod' ? mongod(storage, port) : secantusdb(storage, port, login)
}

function mongod(storage: string, port: number): EngineCommand {
  const args = ['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', storage, '--replSet', 'rs0']
  args.push('--wiredTigerCacheSizeGB', '0.5', '--quiet')
  if (process.platform !== 'win32') args.push('--nounixsocket')
  return { args, ready: /Waiting for connections/ }
}

function secantusdb(storage: string, port: number, login: boolean): EngineCommand {
  const args = ['--host', '127.0.0.1', '--port', String(port), '--storage-path', storage, '--sync-on-commit']
  // No part of Isthmus reads a change stream: an oplog in the journal, and a long one to prune, would double the cost of every
  // write.
  args.push('--oplog-nonlogged', '--oplog-max-entries', '1000')
  if (login) args.push('--auth')
  args.push('--log-file-max', '64MB', '--cache-size', '512M', '--log-level', 'WARNING')
  return { args, ready: /listening on \S+:(?<port>\d+)/ }
}
