/** A time as NeMo’s services write it, in UTC without saying so, with its zone. One that has a zone stays as it is. */
export function asUtc(time: string): string {
  return /Z$|[+-]\d\d:\d\d$/.test(time) ? time : `${time}Z`;
}
