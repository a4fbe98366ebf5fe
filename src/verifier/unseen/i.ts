import type { UnseenRule } from '../rule-check.ts';

/** By what they are about. */
const TOPICS: Readonly<Record<string, readonly string[]>> = {
  'how packets are passed on and given back': [
    'I16',
    'I17',
    'I18',
    'I19',
    'I20',
    'I21',
    'I22',
    'I23',
    'I24',
  ],
  'the source of a packet': ['I25', 'I26', 'I30', 'I31'],
  'the destinations of a packet': [
    'I34',
    'I35',
    'I36',
    'I37',
    'I38',
    'I39',
    'I40',
    'I41',
    'I42',
    'I47',
    'I48',
    'I49',
    'I50',
    'I51',
  ],
  'leaving out destinations and dropping packets': [
    'I52',
    'I53',
    'I54',
    'I55',
    'I56',
    'I57',
    'I58',
    'I59',
    'I61',
  ],
  'packets an extension makes itself, and clones': [
    'I62',
    'I63',
    'I64',
    'I65',
    'I66',
    'I67',
    'I69',
    'I70',
    'I71',
    'I72',
    'I73',
    'I74',
    'I75',
    'I76',
    'I78',
  ],
  'which bytes of a packet can be trusted': ['I79', 'I80'],
  'flags of lists of packets': ['I84', 'I85', 'I86', 'I87', 'I88', 'I90'],
  'enforcing policies on packets': ['I100'],
};

/** Chapter I: the data path. */
export const UNSEEN_I: readonly UnseenRule[] = Object.entries(TOPICS).flatMap(([topic, rules]) =>
  rules.map((rule) => ({
    rule,
    because: 'packets',
    reason: `about ${topic}: no packets move in this version`,
  })),
);
