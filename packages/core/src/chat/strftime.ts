// Python's strftime in the C locale, for the templates that print today's date.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const pad = (value: number, width = 2, fill = '0'): string => String(value).padStart(width, fill);
const dayName = (date: Date): string => DAYS[date.getDay()] ?? '';
const monthName = (date: Date): string => MONTHS[date.getMonth()] ?? '';
const hour12 = (date: Date): number => date.getHours() % 12 || 12;

function dayOfYear(date: Date): number {
  const midday = new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12);
  return Math.round((midday.getTime() - new Date(date.getFullYear(), 0, 0, 12).getTime()) / 86_400_000);
}

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => pad(date.getFullYear(), 4),
  y: (date) => pad(date.getFullYear() % 100),
  m: (date) => pad(date.getMonth() + 1),
  d: (date) => pad(date.getDate()),
  e: (date) => pad(date.getDate(), 2, ' '),
  j: (date) => pad(dayOfYear(date), 3),
  B: monthName,
  b: (date) => monthName(date).slice(0, 3),
  A: dayName,
  a: (date) => dayName(date).slice(0, 3),
  H: (date) => pad(date.getHours()),
  I: (date) => pad(hour12(date)),
  M: (date) => pad(date.getMinutes()),
  S: (date) => pad(date.getSeconds()),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  F: (date) => strftime(date, '%Y-%m-%d'),
  T: (date) => strftime(date, '%H:%M:%S'),
  '%': () => '%',
};

/**
 * Formats a date in local time. A directive that is not known stays as it is; `%-d` and the like drop the padding.
 *
 * @example
 * strftime(new Date(2025, 6, 4), '%-d %b %Y'); // '4 Jul 2025'
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([A-Za-z%])/g, (directive, unpadded: string, letter: string) => {
    const text = DIRECTIVES[letter]?.(date);
    if (text === undefined) return directive;
    return unpadded === '' ? text : text.replace(/^[0 ]+(?=.)/, '');
  });
}
