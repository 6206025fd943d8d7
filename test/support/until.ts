/** Waits until a condition holds; it is asked again every `everyMs`, for `timeoutMs` at the most. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 90_000,
  everyMs = 20,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; ; ) {
    if (await condition()) return
    if (Date.now() > end) throw new Error(`not reached within ${timeoutMs / 1000} s: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** Waits as `until` does, until `assertion` throws nothing; rejects with what it threw last. */
export async function untilPasses(assertion: () => void | Promise<void>, timeoutMs = 90_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; ; ) {
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
