/** The Controller side of USP. */
export { Controller, type ControllerOptions, HEEDED_EVENTS } from './controller.ts'
