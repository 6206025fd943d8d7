import { textMask } from '../../domain/index.ts'
import {
  type RouterCallOptions,
  type RouterCommand,
  type RouterOs,
  RouterOsError,
  type RouterReply,
  type RouterRow,
  type RouterStream,
  type RouterStreamEvents,
} from '../../routeros/index.ts'
import { checkedCommand } from './checked-command.ts'
import type { Level } from './form/menu.ts'
import { menuAt } from './table.ts'

/** Properties that are code, or secret: no reply shows them, whatever was asked for. */
const HIDDEN =
  /script|^on-(?!interface$)|^source$|^run-after-reset$|password|passphrase|secret|private-key|pre-shared-key|community|(^|[-.])pin$/i

/**
 * The last check before a router: lets those commands pass that the table of menus has, up to a level of danger, and
 * sends each of them made anew from the table. Everything else ends with RouterOsError `refused`. Secrets and code are
 * removed from the replies, and masked in errors of the router, which may repeat a value that it refuses.
 */
export class GuardedRouter implements RouterOs {
  readonly #router: RouterOs
  readonly #maxLevel: () => Level

  /** `maxLevel` is the level up to which commands of this router are allowed at present. */
  constructor(router: RouterOs, maxLevel: () => Level) {
    this.#router = router
    this.#maxLevel = maxLevel
  }

  get localAddress(): string | undefined {
    return this.#router.localAddress
  }

  get remoteAddress(): string | undefined {
    return this.#router.remoteAddress
  }

  async command(asked: RouterCommand, options?: RouterCallOptions): Promise<RouterReply> {
    const command = this.#pass(asked, false)
    const hidden = hiddenIn(command)
    const reply = await this.#router.command(command, options).catch((error: unknown) => {
      throw shownError(error, command, hidden)
    })
    return { ...reply, rows: reply.rows.map((row) => shownOf(row, hidden)) }
  }

  stream(asked: RouterCommand, events: RouterStreamEvents, options?: RouterCallOptions): RouterStream {
    const command = this.#pass(asked, true)
    const hidden = hiddenIn(command)
    return this.#router.stream(
      command,
      {
        onRow: (row) => events.onRow(shownOf(row, hidden)),
        onEnd: (error) => events.onEnd(shownError(error, command, hidden)),
      },
      options,
    )
  }

  close(): Promise<void> {
    return this.#router.close()
  }

  #pass(asked: RouterCommand, asStream: boolean): RouterCommand {
    const { command, level, streams } = checkedCommand(asked)
    if (streams !== asStream) throw new RouterOsError('refused', 'this command is not sent this way', { sent: false })
    if (level > this.#maxLevel())
      throw new RouterOsError('refused', `commands of level ${level} are not enabled for this router`, {
        sent: false,
        context: { level },
      })
    return command
  }
}

function hiddenIn({ path }: RouterCommand): (name: string) => boolean {
  const properties = menuAt(path.slice(0, path.lastIndexOf('/')))?.properties ?? {}
  return (name) => HIDDEN.test(name) || (Object.hasOwn(properties, name) && properties[name]?.secret === true)
}

/** An error whose texts have no secret of the command. The same object when they have none. */
function shownError<T>(error: T, { args = {} }: RouterCommand, isHidden: (name: string) => boolean): T | RouterOsError {
  if (!(error instanceof RouterOsError)) return error
  const mask = textMask(Object.entries(args).flatMap(([name, value]) => (isHidden(name) ? [value] : [])))
  const message = mask(error.message)
  const all = error.all.map(mask)
  if (message === error.message && all.every((text, n) => text === error.all[n])) return error
  const { kind, sent, category, context } = error
  // The cause has the text that is masked here.
  return new RouterOsError(kind, message, { sent, context, all, ...(category === undefined ? {} : { category }) })
}

function shownOf(row: RouterRow, isHidden: (name: string) => boolean): RouterRow {
  const names = Object.keys(row)
  if (!names.some(isHidden)) return row
  return Object.fromEntries(Object.entries(row).filter(([name]) => !isHidden(name)))
}
