import type { RouterOs, RouterStream } from '../../routeros/index.ts'
import { RouterWords } from '../menus/router-words.ts'
import { isMenuPath, type MenuPath, menuAt } from '../menus/table.ts'

/** Streams of one router at most: each is a command that does not end. */
const MAX_STREAMS = 8
/** Rows of these menus change all the time by themselves, and a push of each costs more than looking. */
const RESTLESS = /registration-table|\/resource$|\/health$|\/monitor/

/** Listens to menus of a router: RouterOS tells of changed rows there (`listen`), and they need not be asked for. */
export class MenuListeners {
  readonly #router: RouterOs
  readonly #onChange: () => void
  readonly #streams = new Map<string, RouterStream>()
  /** Menus that this router does not let be listened to. */
  readonly #refused = new Set<string>()

  constructor(router: RouterOs, onChange: () => void) {
    this.#router = router
    this.#onChange = onChange
  }

  /** Listens to these menus, as far as RouterOS can, and to no others. */
  follow(menus: ReadonlySet<string>): void {
    for (const [menu, stream] of this.#streams) if (!menus.has(menu)) this.#end(menu, stream)
    for (const menu of menus) {
      if (this.#streams.size >= MAX_STREAMS) return
      if (!this.#streams.has(menu) && !this.#refused.has(menu) && canListen(menu)) this.#begin(menu)
    }
  }

  /** Ends all streams. */
  stop(): void {
    for (const [menu, stream] of this.#streams) this.#end(menu, stream)
    this.#refused.clear()
  }

  #begin(menu: MenuPath): void {
    const stream = this.#router.stream(new RouterWords().listen(menu, []), {
      onRow: () => this.#onChange(),
      onEnd: (error) => {
        if (this.#streams.get(menu) !== stream) return
        this.#streams.delete(menu)
        if (error?.kind === 'trap' || error?.kind === 'refused') this.#refused.add(menu)
      },
    })
    this.#streams.set(menu, stream)
  }

  #end(menu: string, stream: RouterStream): void {
    this.#streams.delete(menu)
    // A router that is gone has ended it already.
    stream.stop().catch(() => undefined)
  }
}

function canListen(menu: string): menu is MenuPath {
  return isMenuPath(menu) && !RESTLESS.test(menu) && menuAt(menu)?.verbs.listen !== undefined
}
