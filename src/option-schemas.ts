/** What the text of an option may be (config.ts): schemas from the text to the value. */
import { z } from 'zod';

/** A whole number within bounds, both included. */
export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most));
export const text = z.string().regex(/^[^\p{Cc}]+$/u);
export const ratio = z
  .string()
  .regex(/^(0?\.\d+|[01](\.0+)?)$/)
  .transform(Number);
export const switchText = z.enum(['true', 'false']).transform((on) => on === 'true');
export const list = (of: z.ZodType<unknown, string>, least: number, most: number) =>
  z
    .string()
    .transform((t) =>
      t
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(of).min(least).max(most));
/** A web origin as browsers send it: no path, no trailing slash. */
export const webOrigin = z
  .string()
  .refine((o) => URL.canParse(o) && /^https?:/.test(o) && new URL(o).origin === o);
/** The address of a page that is shown in a frame. */
export const webPage = z.string().refine((u) => URL.canParse(u) && /^https?:$/.test(new URL(u).protocol));
