/** Creating it anew on every start would postpone it for ever. */
export async function startAlarm(name: string, info: chrome.alarms.AlarmCreateInfo): Promise<void> {
  if (!(await chrome.alarms.get(name))) await chrome.alarms.create(name, info);
}
