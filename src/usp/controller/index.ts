/** The Controller side of USP. */
export { Controller, type ControllerOptions } from './controller.ts'
export { HEEDED_EVENTS } from './link-control.ts'
