import { readDuration } from '../basis/text.ts'
import { Trap } from '../basis/trap.ts'
import type { Call } from './command.ts'

/** Shows something now and again after each interval, until a cancel or the `duration` of the request is over. */
export function every({ router, request, reply }: Call, ms: number, show: (section: number) => void): void {
  const seconds = readDuration(request.args.get('duration') ?? '')
  const end = seconds === undefined ? Number.POSITIVE_INFINITY : router.clock.now() + seconds * 1000
  let section = 0
  const again = () => {
    try {
      show(section++)
    } catch (error) {
      if (!(error instanceof Trap)) throw error
      return reply.refuse(error)
    }
    if (router.clock.now() + ms > end) return reply.done()
    stop = router.clock.after(Math.max(ms, 1), again)
  }
  let stop = () => {}
  reply.onCancel(() => stop())
  again()
}
