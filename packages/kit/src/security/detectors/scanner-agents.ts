/**
 * Programs whose only use is to look for holes. SDKs, curl and crawlers are not among them: whoever calls a model is a program. What a
 * client calls itself is its own choice, so a name here makes what it does count more, and does nothing by itself.
 */
const scanners =
  /sqlmap|nikto|nuclei|masscan|zgrab|nmap|gobuster|dirbuster|feroxbuster|ffuf|wfuzz|wpscan|acunetix|netsparker|nessus|openvas|arachni|w3af|hydra|zmeu|jorgee|whatweb|dirsearch|httpx - open-source|l9explore|censysinspect/i;

/** The scanner that a user agent names, in lower case; undefined for everybody else. Looks at the first 256 characters. */
export function scannerNamed(userAgent: string | undefined): string | undefined {
  return userAgent === undefined ? undefined : scanners.exec(userAgent.slice(0, 256))?.[0].toLowerCase();
}
