import type { Clock, Random } from '../base/index.ts'
import type { AgentTransport, ControllerLink } from '../usp/index.ts'
import type { AgentQuirks } from './agent-quirks.ts'

/** Returns a transport whose links err as the quirks say: silent, slow, or broken in the middle of work. */
export function faultyLinks(
  inner: AgentTransport,
  { neverOnboards, answerDelayMs, dropsLinkAfter }: AgentQuirks,
  { clock, random }: { clock: Clock; random: Random },
): AgentTransport {
  let transport = inner
  if (answerDelayMs !== undefined) transport = slow(transport, answerDelayMs, clock)
  if (dropsLinkAfter !== undefined) transport = dropping(transport, dropsLinkAfter, random)
  return neverOnboards === true ? silent(transport) : transport
}

/** Neither sends a Record nor hands one over. */
function silent(inner: AgentTransport): AgentTransport {
  return {
    async dial(target, events) {
      const link = await inner.dial(target, { ...events, onRecord: () => undefined })
      return { ...link, send: () => true }
    },
  }
}

/** Hands each Record over after a while, in order. */
function slow(inner: AgentTransport, delayMs: number, clock: Clock): AgentTransport {
  return {
    dial: (target, events) =>
      inner.dial(target, {
        ...events,
        onRecord: (record) => void clock.after(delayMs, () => events.onRecord(record)),
      }),
  }
}

/** Cuts a link with a chance of one in five at each Record after the first `records`. */
function dropping(inner: AgentTransport, records: number, random: Random): AgentTransport {
  return {
    async dial(target, events) {
      let count = 0
      let link: ControllerLink | undefined
      const opened = await inner.dial(target, {
        ...events,
        onRecord: (record) => {
          if (++count > records && random.fraction() < 0.2) link?.cut()
          else events.onRecord(record)
        },
      })
      link = opened
      return opened
    },
  }
}
