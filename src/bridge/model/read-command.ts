import { type RouterCommand, type RouterOs, RouterOsError, type RouterReply } from '../../routeros/index.ts'
import { AgentError } from '../../usp/index.ts'

/** Sends a command that reads. A router that says that it is busy is asked once more. AgentError. */
export async function readCommand(router: Pick<RouterOs, 'command'>, command: RouterCommand): Promise<RouterReply> {
  try {
    return await router.command(command).catch((error: unknown) => {
      if (isBusy(error)) return router.command(command)
      throw error
    })
  } catch (error) {
    throw error instanceof RouterOsError ? agentErrorOf(error, command.path) : error
  }
}

/** Reads one row as `readCommand` does; no rows when it is not there any more. AgentError. */
export async function readRow(router: RouterOs, command: RouterCommand): Promise<RouterReply['rows']> {
  const gone = (error: unknown) =>
    error instanceof RouterOsError && error.kind === 'trap' && error.message.includes('no such item')
  const asked: Pick<RouterOs, 'command'> = {
    command: (one) =>
      router.command(one).catch((error: unknown) => {
        if (gone(error)) return { rows: [] }
        throw error
      }),
  }
  return (await readCommand(asked, command)).rows
}

/** A subsystem of the router that did not answer in time: `std failure: timeout (13)`, in newer versions other words. */
function isBusy(error: unknown): boolean {
  return error instanceof RouterOsError && error.kind === 'trap' && error.message.includes('(13)')
}

/** Returns true for the answer of a router that does not have a menu: its package or its hardware is not there. */
function saysAbsent(error: unknown): boolean {
  return (
    error instanceof RouterOsError &&
    error.kind === 'trap' &&
    error.all.some((text) => /no such command|contact MikroTik support/.test(text))
  )
}

function saysNotAllowed(error: unknown): boolean {
  return error instanceof RouterOsError && error.kind === 'trap' && error.message.includes('not enough permissions')
}

/** Returns the error of USP for a router that did not answer a reading. */
function agentErrorOf(error: RouterOsError, path: string): AgentError {
  if (error.kind !== 'trap') return new AgentError(7003, `the router did not answer ${path}: ${error.message}`)
  if (saysNotAllowed(error))
    return new AgentError(7006, `the account of the bridge may not use ${path}: ${error.message}`)
  return new AgentError(7003, `the router refused ${path}: ${error.message}`)
}

/**
 * Resolves with `there` when a router has a menu, and with `refused` when the account may not read it; AgentError when
 * it does not say.
 */
export async function probe(router: RouterOs, menu: string): Promise<'there' | 'absent' | 'refused'> {
  try {
    await router.command({ path: `${menu}/print`, args: { 'count-only': '' } })
    return 'there'
  } catch (error) {
    if (saysAbsent(error)) return 'absent'
    if (saysNotAllowed(error)) return 'refused'
    throw error instanceof RouterOsError ? agentErrorOf(error, menu) : error
  }
}
