/** The journey: an application for help with the cost of a home. Steps, their branches, and what each must hold. */
import { defineFlow, type StepIdOf } from 'waymark'
import { z } from 'zod'

/** Keeps zod from probing for `eval`, which the page's content security policy would report. */
z.config({ jitless: true })

const text = (message: string, longest = 200) =>
  z.string({ error: message }).trim().min(1, message).max(longest, `Use ${longest} characters or fewer`)

const oneOf = <const T extends readonly string[]>(values: T, message: string) =>
  z.enum(values, { error: message })

/** An amount is kept as it was typed: what is half typed must survive too. */
const amount = (message: string) =>
  text(message).regex(/^£?\s?\d{1,3}(,?\d{3})*([.]\d{1,2})?$/, 'Enter an amount, like 950 or 950.50')

const wholeNumber = (message: string, most: number) =>
  text(message)
    .regex(/^\d{1,3}$/, 'Enter a whole number, like 7')
    .refine((value) => !/^\d+$/.test(value) || Number(value) <= most, `Enter a number of ${most} or less`)

const birthDate = (message: string) =>
  z
    .object(
      { day: z.string().optional(), month: z.string().optional(), year: z.string().optional() },
      { error: message },
    )
    .superRefine(({ day = '', month = '', year = '' }, context) => {
      const isGiven = [day, month, year].some((part) => part.trim() !== '')
      if (!isGiven) context.addIssue(message)
      else if (!isPastDate(day, month, year))
        context.addIssue('Enter a real date in the past, like 27 3 1984')
    })

function isPastDate(day: string, month: string, year: string): boolean {
  if (![day, month, year].every((part) => /^\s*\d+\s*$/.test(part))) return false
  const [y, m, d] = [Number(year), Number(month), Number(day)]
  const date = new Date(Date.UTC(y, m - 1, d))
  const isReal = date.getUTCFullYear() === y && date.getUTCMonth() === m - 1 && date.getUTCDate() === d
  return isReal && y >= 1900 && date.getTime() < Date.now()
}

export const housing = defineFlow({
  id: 'housing-support',
  version: 1,
  title: 'Housing support',
  steps: {
    start: {
      title: 'Before you start',
      schema: z.object({
        isAdult: oneOf(['yes', 'no'], 'Say whether you are 18 or over').refine(
          (answer) => answer === 'yes',
          'You must be 18 or over to apply',
        ),
        reason: oneOf(['new', 'moved', 'changed'], 'Choose why you are applying'),
      }),
    },
    you: {
      title: 'About you',
      schema: z.object({
        fullName: text('Enter your full name'),
        birth: birthDate('Enter your date of birth'),
        email: text('Enter your email address').pipe(
          z.email({ error: 'Enter an email address, like name@example.org' }),
        ),
        phone: z
          .string()
          .trim()
          .regex(/^[+\d][\d\s()-]{5,}$|^$/, 'Enter a phone number, like 020 7946 0000')
          .optional(),
        household: oneOf(['alone', 'partner'], 'Say whether you live with a partner'),
      }),
    },
    partner: {
      title: 'Your partner',
      schema: z.object({
        fullName: text('Enter your partner’s full name'),
        birth: birthDate('Enter your partner’s date of birth'),
        isWorking: oneOf(['yes', 'no'], 'Say whether your partner works'),
      }),
      when: ({ you }) => you?.household === 'partner',
    },
    children: {
      title: 'Children who live with you',
      each: z.object({
        firstName: text('Enter the child’s first name'),
        age: wholeNumber('Enter the child’s age in years', 19),
      }),
    },
    work: {
      title: 'Your work',
      schema: z.object({
        situation: oneOf(['employed', 'self-employed', 'none'], 'Choose what describes your work'),
      }),
    },
    pay: {
      title: 'Your pay',
      schema: z.object({
        employer: text('Enter who you work for'),
        monthly: amount('Enter your monthly pay'),
      }),
      when: ({ work }) => work?.situation === 'employed',
    },
    business: {
      title: 'Your business',
      schema: z.object({
        trade: text('Enter what your business does'),
        monthly: amount('Enter your monthly profit'),
      }),
      when: ({ work }) => work?.situation === 'self-employed',
    },
    home: {
      title: 'Your home',
      schema: z.object({
        street: text('Enter the first line of your address'),
        town: text('Enter your town or city'),
        postcode: text('Enter your postcode', 12),
        tenure: oneOf(['rent', 'own', 'other'], 'Choose how you live in your home'),
      }),
    },
    rent: {
      title: 'Your rent',
      schema: z.object({
        landlord: text('Enter who you pay rent to'),
        amount: amount('Enter how much rent you pay'),
        every: oneOf(['week', 'month'], 'Choose how often you pay rent'),
      }),
      when: ({ home }) => home?.tenure === 'rent',
    },
    mortgage: {
      title: 'Your mortgage',
      schema: z.object({
        lender: text('Enter who you pay your mortgage to'),
        monthly: amount('Enter how much you pay each month'),
      }),
      when: ({ home }) => home?.tenure === 'own',
    },
    bank: {
      title: 'Where to pay you',
      schema: z.object({
        holder: text('Enter the name on the account'),
        sortCode: text('Enter the sort code').regex(
          /^\d{2}[\s-]?\d{2}[\s-]?\d{2}$/,
          'Enter 6 digits, like 30 94 30',
        ),
        number: text('Enter the account number').regex(/^\d{6,8}$/, 'Enter 6 to 8 digits'),
      }),
      // Money follows these: where two devices differ, somebody says which is right.
      merge: { sortCode: 'ask', number: 'ask' },
    },
    more: {
      title: 'Anything else',
      optional: true,
      schema: z.object({ notes: z.string().max(4_000, 'Use 4,000 characters or fewer').optional() }),
    },
    review: {
      title: 'Check your answers',
      schema: z.object({
        isTrue: z.literal(true, { error: 'Confirm that your answers are true' }),
      }),
    },
  },
})

export type Housing = typeof housing
export type HousingStep = StepIdOf<Housing>
