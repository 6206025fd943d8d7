import type { Trap } from '../basis/trap.ts'
import type { RouterState, SessionUser } from '../state/router-state.ts'
import type { ApiRequest } from '../wire/request.ts'

/** The answer to one command. After `done` nothing more leaves. */
export interface Reply {
  row(values: Readonly<Record<string, string>>): void
  /** Nothing was found, for versions that say so. */
  empty(): void
  /** The command ends; `ret` is the value that it returns. */
  done(ret?: string): void
  /** The command ends with a refusal. */
  refuse(trap: Trap): void
  /** Called once when the command ends, by itself, by a cancel or with its connection. */
  onCancel(stop: () => void): void
}

/** One command of a client. */
export interface Call {
  router: RouterState
  user: SessionUser
  request: ApiRequest
  reply: Reply
}

/** A command that is no command of a menu. */
export interface Command {
  /** Policies that it needs. */
  needs: readonly string[]
  /** Versions and hardware that have it; default all. */
  exists?: (router: RouterState) => boolean
  /** Throws Trap; calls `done` now or later. */
  run(call: Call): void
}
