import express from 'express'

/** The one door to express. */
export type { NextFunction, Request, Response } from 'express'
export { express }
