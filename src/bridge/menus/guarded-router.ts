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
 * removed from the replies.
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
    const reply = await this.#router.command(command, options)
    const hidden = hiddenIn(command)
    return { ...reply, rows: reply.rows.map((row) => shownOf(row, hidden)) }
  }

  stream(asked: RouterCommand, events: RouterStreamEvents, options?: RouterCallOptions): RouterStream {
    const command = this.#pass(asked, true)
    const hidden = hiddenIn(command)
    return this.#router.stream(
      command,
      { onRow: (row) => events.onRow(shownOf(row, hidden)), onEnd: (error) => events.onEnd(error) },
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

function shownOf(row: RouterRow, isHidden: (name: string) => boolean): RouterRow {
  const names = Object.keys(row)
  if (!names.some(isHidden)) return row
  return Object.fromEntries(Object.entries(row).filter(([name]) => !isHidden(name)))
}
