import type { Log } from '../base/index.ts'
import type { EventBus, FeedEvent } from '../domain/index.ts'

/**
 * Events inside this process. Listeners are called in the order they subscribed, each with every event; one that throws
 * is logged and harms neither the others nor the publisher. A listener that subscribes or leaves during a publication
 * takes effect with the next event.
 */
export function createEventBus(log: Log): EventBus {
  // Replaced, never changed in place, so that a publication under way walks the list it began with.
  let listeners: readonly ((event: FeedEvent) => void)[] = []

  return {
    publish(events) {
      for (const event of events) {
        for (const listener of listeners) deliver(listener, event, log)
      }
    },
    subscribe(listener) {
      // Wrapped, so that the same function subscribed twice leaves one at a time.
      const entry = (event: FeedEvent) => listener(event)
      listeners = [...listeners, entry]
      return () => {
        listeners = listeners.filter((other) => other !== entry)
      }
    },
  }
}

function deliver(listener: (event: FeedEvent) => void, event: FeedEvent, log: Log): void {
  try {
    listener(event)
  } catch (err) {
    log.error({ err, eventId: event.id, eventType: event.type }, 'event listener failed')
  }
}
