/** What each step asks, in the order it asks: the words and controls to the flow's answers. */
import type { AnswersOf } from 'waymark'
import type { Housing, HousingStep } from './flow.ts'

type AnswersAt<Id extends HousingStep> = NonNullable<AnswersOf<Housing>[Id]>
type ItemOf<T> = T extends readonly (infer Item)[] ? Item : T
type FieldAt<Id extends HousingStep> = Exclude<keyof ItemOf<AnswersAt<Id>>, 'key'> & string

interface Common<Name extends string> {
  readonly name: Name
  readonly label: string
  readonly hint?: string
  readonly isOptional?: boolean
}

export interface Choice {
  readonly value: string
  readonly label: string
}

export type Question<Name extends string = string> = Common<Name> &
  (
    | {
        readonly kind: 'text'
        readonly type?: 'text' | 'email' | 'tel'
        readonly autocomplete?: string
        readonly inputmode?: 'numeric' | 'decimal'
        /** How many characters it is made for. */
        readonly width?: 3 | 8 | 12 | 20
        readonly prefix?: string
      }
    | { readonly kind: 'date'; readonly isOwn?: boolean }
    | { readonly kind: 'choice'; readonly choices: readonly Choice[] }
    | { readonly kind: 'select'; readonly choices: readonly Choice[] }
    | { readonly kind: 'area' }
    | { readonly kind: 'confirm' }
  )

export interface StepWords<Name extends string = string> {
  /** Said under the heading. */
  readonly lead?: string
  readonly questions: readonly Question<Name>[]
  /** For a step that repeats: what one item is called, and the words around the list. */
  readonly item?: { readonly name: string; readonly add: string; readonly empty: string }
}

const yesNo: readonly Choice[] = [
  { value: 'yes', label: 'Yes' },
  { value: 'no', label: 'No' },
]

export const words: { readonly [Id in HousingStep]: StepWords<FieldAt<Id>> } = {
  start: {
    lead: 'You may get help with the cost of your home. It takes about ten minutes, and you can stop and come back: answers are kept as you type.',
    questions: [
      { kind: 'choice', name: 'isAdult', label: 'Are you 18 or over?', choices: yesNo },
      {
        kind: 'choice',
        name: 'reason',
        label: 'Why are you applying?',
        choices: [
          { value: 'new', label: 'I have not had housing support before' },
          { value: 'moved', label: 'I have moved home' },
          { value: 'changed', label: 'My income or household has changed' },
        ],
      },
    ],
  },
  you: {
    questions: [
      { kind: 'text', name: 'fullName', label: 'Full name', autocomplete: 'name' },
      { kind: 'date', name: 'birth', label: 'Date of birth', hint: 'For example, 27 3 1984', isOwn: true },
      {
        kind: 'text',
        name: 'email',
        label: 'Email address',
        hint: 'We only use it to tell you about this application',
        type: 'email',
        autocomplete: 'email',
      },
      {
        kind: 'text',
        name: 'phone',
        label: 'Phone number',
        isOptional: true,
        type: 'tel',
        autocomplete: 'tel',
        width: 20,
      },
      {
        kind: 'choice',
        name: 'household',
        label: 'Who do you live with?',
        hint: 'Children come later',
        choices: [
          { value: 'alone', label: 'I live without a partner' },
          { value: 'partner', label: 'I live with a partner' },
        ],
      },
    ],
  },
  partner: {
    lead: 'We ask because your income is counted together.',
    questions: [
      { kind: 'text', name: 'fullName', label: 'Your partner’s full name' },
      { kind: 'date', name: 'birth', label: 'Your partner’s date of birth', hint: 'For example, 3 11 1986' },
      { kind: 'choice', name: 'isWorking', label: 'Does your partner work?', choices: yesNo },
    ],
  },
  children: {
    lead: 'Add every child under 20 who lives with you most of the time. If there are none, continue.',
    questions: [
      { kind: 'text', name: 'firstName', label: 'First name' },
      { kind: 'text', name: 'age', label: 'Age in years', inputmode: 'numeric', width: 3 },
    ],
    item: { name: 'Child', add: 'Add a child', empty: 'No children added.' },
  },
  work: {
    questions: [
      {
        kind: 'choice',
        name: 'situation',
        label: 'What describes your work?',
        choices: [
          { value: 'employed', label: 'I work for someone' },
          { value: 'self-employed', label: 'I work for myself' },
          { value: 'none', label: 'I am not working at the moment' },
        ],
      },
    ],
  },
  pay: {
    questions: [
      { kind: 'text', name: 'employer', label: 'Who do you work for?', autocomplete: 'organization' },
      {
        kind: 'text',
        name: 'monthly',
        label: 'What are you paid each month, after tax?',
        inputmode: 'decimal',
        width: 8,
        prefix: '£',
      },
    ],
  },
  business: {
    questions: [
      { kind: 'text', name: 'trade', label: 'What does your business do?' },
      {
        kind: 'text',
        name: 'monthly',
        label: 'What is left each month, after costs?',
        hint: 'An average of the last year is fine',
        inputmode: 'decimal',
        width: 8,
        prefix: '£',
      },
    ],
  },
  home: {
    questions: [
      { kind: 'text', name: 'street', label: 'First line of your address', autocomplete: 'address-line1' },
      { kind: 'text', name: 'town', label: 'Town or city', autocomplete: 'address-level2', width: 20 },
      { kind: 'text', name: 'postcode', label: 'Postcode', autocomplete: 'postal-code', width: 8 },
      {
        kind: 'choice',
        name: 'tenure',
        label: 'How do you live there?',
        choices: [
          { value: 'rent', label: 'I rent it' },
          { value: 'own', label: 'I own it, or am buying it' },
          { value: 'other', label: 'I stay with family or friends' },
        ],
      },
    ],
  },
  rent: {
    questions: [
      { kind: 'text', name: 'landlord', label: 'Who do you pay rent to?' },
      {
        kind: 'text',
        name: 'amount',
        label: 'How much is your rent?',
        inputmode: 'decimal',
        width: 8,
        prefix: '£',
      },
      {
        kind: 'select',
        name: 'every',
        label: 'How often do you pay it?',
        choices: [
          { value: 'week', label: 'Every week' },
          { value: 'month', label: 'Every month' },
        ],
      },
    ],
  },
  mortgage: {
    questions: [
      { kind: 'text', name: 'lender', label: 'Who is your mortgage with?' },
      {
        kind: 'text',
        name: 'monthly',
        label: 'How much do you pay each month?',
        inputmode: 'decimal',
        width: 8,
        prefix: '£',
      },
    ],
  },
  bank: {
    lead: 'Support is paid on the first working day of each month.',
    questions: [
      { kind: 'text', name: 'holder', label: 'Name on the account', autocomplete: 'name' },
      {
        kind: 'text',
        name: 'sortCode',
        label: 'Sort code',
        hint: '6 digits, for example 30 94 30',
        inputmode: 'numeric',
        width: 8,
      },
      {
        kind: 'text',
        name: 'number',
        label: 'Account number',
        hint: 'Between 6 and 8 digits',
        inputmode: 'numeric',
        width: 12,
      },
    ],
  },
  more: {
    lead: 'You can leave this empty.',
    questions: [
      {
        kind: 'area',
        name: 'notes',
        label: 'Is there anything else we should know?',
        hint: 'For example, if you care for someone or your work changes with the season',
        isOptional: true,
      },
    ],
  },
  review: {
    lead: 'Read through your answers before you send them. You cannot change them afterwards.',
    questions: [
      {
        kind: 'confirm',
        name: 'isTrue',
        label: 'My answers are true and complete, as far as I know',
      },
    ],
  },
}

/** A step's words, by an id known at run time only. */
export function wordsOf(step: string): StepWords {
  return words[step as HousingStep]
}
