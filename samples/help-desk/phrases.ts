import type { ToolName } from './tools.ts';

/**
 * How people ask. `(a|b|)` is a choice, `{slot}` an argument, `{item}` a product that is only talked about.
 * Neighbouring tools share their words on purpose (order, money back, how much, when): no keyword decides.
 */
export const toolPhrases: Readonly<Record<ToolName, readonly string[]>> = {
  track_order: [
    'where is (my order|order|my parcel) {order}',
    '(has|did) (order|parcel|my order) {order} (ship|shipped|left|been sent) (yet|already|)',
    'when will (order|my parcel|my {item},) {order} (arrive|get here|be here)',
    'i am still waiting for (order|parcel|) {order}',
    'any news (on|about) (order|my order|the delivery of) {order}',
    'track {order} (for me|)',
    'what is the status of (order|) {order}',
    'it has been two weeks and (order|) {order} is not here',
  ],
  cancel_order: [
    '(cancel|please cancel|stop) (order|my order|) {order}',
    'i (want|need|would like) to cancel (order|) {order}',
    "i (don't|do not) want order {order} any more",
    '(call off|scrap|drop) order {order}(, i changed my mind|)',
    'do not (ship|send) {order}, i (ordered|bought) the wrong {item}',
    'i ordered twice by mistake, (remove|kill) {order}',
    'can you stop {order} before it (ships|goes out)',
  ],
  start_return: [
    'i (want|would like|need) to (return|send back) (order|the {item} from|) {order}',
    'how do i (return|send back) (order|my {item} from order|) {order}',
    'the {item} from {order} (does not fit|is too small|is too big|is the wrong colour)',
    '(order|the {item} in) {order} (came|arrived) (broken|damaged|torn), i want to send it back',
    'return label for (order|) {order}',
    'please take back (order|) {order}',
    'i am not happy with the {item} in order {order}(, can it go back|)',
  ],
  refund_status: [
    'where is (my refund|the refund|my money) for (order|) {order}',
    'has (the money|my refund) for {order} been (sent|paid) (back|)',
    'i sent {order} back (last week|a while ago) and still have no money',
    'when do i get my money back for (order|) {order}',
    'refund for {order} (is missing|has not come|not here yet)',
    'did you (pay back|refund) (order|) {order} (yet|already|)',
  ],
  reset_password: [
    'i forgot my password, my (login|account|email) is {email}',
    '(reset|change) the password (of|for) {email}',
    "i (can't|cannot) (log in|sign in|get in) (as|with) {email}",
    'new password for {email}',
    'my account {email} is locked',
    '{email} (does not let me in|is locked out|cannot log in)',
    'send (a|the) password link to {email}',
  ],
  check_stock: [
    '(do you have|have you got) (a|any|the) {product} (in stock|left|available)',
    'is the {product} (in stock|available|sold out|back) (again|yet|)',
    'can i (still|) (buy|get|order) (a|the) {product}',
    'how many {product} are left',
    'any {product} left',
    'when is the {product} back',
  ],
  get_price: [
    'how much (is|for) (a|the) {product}',
    'what does (a|the) {product} cost',
    '(price|cost) of (a|the|your) {product}',
    'is the {product} (on sale|expensive|cheaper now)',
    'what do you (charge|ask) for (a|the) {product}',
    'i want a {product}, how much do i (pay|need)',
  ],
  store_hours: [
    'when (does|is) the (shop|store) in {city} (open|close|open tomorrow)',
    '(opening hours|hours) (in|of) {city}',
    'is the {city} (shop|store) open (on sunday|today|now|late)',
    'until when can i come to (the shop in|) {city}',
    'how late is {city} open',
    'can i pick up my {item} in {city} (tonight|on saturday)',
  ],
  shipping_cost: [
    'how much is (shipping|delivery|postage) to {country}',
    'what does it cost to (send|ship) (a {item}|it|something) to {country}',
    '(shipping|delivery) (fee|price|cost) (for|to) {country}',
    'is (delivery|shipping) to {country} free',
    'do i pay (postage|for shipping) to {country}',
    'i live in {country}, what do you charge for (delivery|a parcel)',
  ],
  gift_card_balance: [
    'how much is (left|still) on my gift card',
    'what is (my gift card worth|the balance of my gift card)',
    'gift card balance',
    'i got a (voucher|gift card), how much (is|money is) on it',
    'is there (anything|money) left on my (voucher|gift card)',
    'can you check my (voucher|gift card)',
  ],
  loyalty_points: [
    'how many points do i have',
    'what are my points worth',
    '(show|check) my (points|bonus points)',
    'did i get points for my last (order|{item})',
    'how many (points|bonus points) until my next reward',
    'points (balance|on my account)',
    'do i have enough points for a {item}',
  ],
  talk_to_person: [
    '(can|may|could) i (talk|speak) to (a person|a human|someone)',
    'i want (a human|a real person|an agent|to complain)',
    'let me (talk|speak) to (your boss|somebody|a manager)',
    'is there (anyone|a human) i can (call|talk to|speak to)',
    'this bot is (useless|no help), get me (someone|a person)',
    '(connect|put) me (to|through to) (an agent|support|your team)',
    'please call me (back|) on {phone}',
  ],
};

/** Questions that no tool answers, and how the help desk replies in plain words. */
export const plainPhrases: readonly { readonly reply: string; readonly phrases: readonly string[] }[] = [
  {
    reply: 'Sorry, I can only help with your shop questions.',
    phrases: [
      'what is the capital of {country}',
      'will it rain in {city} (today|tomorrow|on sunday)',
      'tell me a joke (about a {item}|)',
      'who won the (game|match|race) (last night|yesterday)',
      'how do i cook (rice|soup|an egg) on a {item}',
      'write a (poem|song|story) about (a {item}|{city}|rain)',
      'what is (two and two|ten times ten|the square root of nine)',
      'how (high|far|old) is (the moon|the sun|the longest river|mount everest)',
      'book me a (flight|hotel|table|train) (in|to) {country}',
      'translate (good morning|thank you|{item}) into (spanish|polish|italian)',
      'which (film|book|song) do you like',
      'set (an alarm|a timer) for (ten minutes|seven|tomorrow)',
      'should i (buy|sell) (shares|a car|a house) now',
      'what time is it in {country}',
      'how long does a walk to {city} take',
      'do you have a (dog|job|name|girlfriend)',
      'can i work (at|in) your shop in {city}',
      'my {item} is my best friend',
    ],
  },
  {
    reply: 'Hello! How can I help?',
    phrases: [
      '(hi|hello|hey|good morning|good evening) (there|you|)',
      '(hi|hello) (i have|quick|just) a question',
      'anyone there',
    ],
  },
  {
    reply: "You're welcome!",
    phrases: [
      '(thanks|thank you|cheers) (a lot|so much|)',
      '(great|perfect|super), (thanks|thank you)',
      'that (helped|was all), (thanks|bye)',
    ],
  },
];

/** Follow-ups that need the order number of the turns before them. */
export const followUps: readonly { readonly tool: ToolName; readonly phrases: readonly string[] }[] = [
  { tool: 'cancel_order', phrases: ['(then|ok,) cancel it', 'please cancel it then', 'stop it then'] },
  {
    tool: 'start_return',
    phrases: ['(then|ok,) i want to send it back', 'i will return it', 'can i send it back'],
  },
  { tool: 'refund_status', phrases: ['and where is my money', 'did you pay me back', 'and my refund'] },
];

/** What the order system says, and the answer made of it. */
export const orderStates: readonly { readonly result: string; readonly reply: string }[] = [
  { result: 'shipped, due Friday', reply: 'It has shipped and is due Friday.' },
  { result: 'packed, due Monday', reply: 'It is packed and is due Monday.' },
  { result: 'delivered Tuesday', reply: 'It was delivered Tuesday.' },
  { result: 'delayed, due Sunday', reply: 'It is delayed and is due Sunday.' },
];

export const openers = [
  '',
  '',
  '',
  '',
  '',
  'hi, ',
  'hello, ',
  'hey ',
  'please ',
  'good morning, ',
  'sorry, ',
  'quick question: ',
];
export const closers = ['', '', '', '', '', '', ' please', ' thanks', ' thank you', ' asap', ' :)', ' pls'];

/** Given and family names are invented combinations; addresses end in domains that are reserved for examples. */
export const givenNames = [
  'mara',
  'tomas',
  'ines',
  'oskar',
  'lena',
  'pavel',
  'nora',
  'emil',
  'ruth',
  'sven',
] as const;
export const familyNames = [
  'lind',
  'voss',
  'arden',
  'kelm',
  'brandt',
  'solis',
  'hale',
  'novak',
  'quist',
  'marsh',
] as const;
export const mailDomains = ['example.com', 'example.org', 'example.net'] as const;
