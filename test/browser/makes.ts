/** What a browser is called on each system, and how people get it. */
export interface Make {
  /** As people know it. */
  title: string;
  /** Of the environment: the path of the one to take. */
  variable: string;
  /** Programs, the likeliest first. */
  linuxNames: readonly string[];
  linuxPaths: readonly string[];
  /** Below a folder of applications, and below a folder of programs. */
  macPaths: readonly string[];
  windowsPaths: readonly string[];
  /** Of Debian; `isPackaged` says where it is there and brings a real browser, which Ubuntu's stub for a snap is not. */
  debianPackage: string;
  isPackaged(distributions: readonly string[]): boolean;
  /** Beginnings of a sentence. */
  install: { darwin: string; win32: string; linux(distributions: readonly string[]): string };
}

const macPath = (app: string, program: string): string => `${app}.app/Contents/MacOS/${program}`;
const deb = 'google-chrome-stable_current_amd64.deb';

export const chromium: Make = {
  title: 'Chrome, Chromium or Edge',
  variable: 'CHROME_PATH',
  linuxNames: [
    ...['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser'],
    ...['microsoft-edge-stable', 'microsoft-edge'],
  ],
  linuxPaths: [
    '/opt/google/chrome/chrome',
    '/opt/microsoft/msedge/msedge',
    '/usr/lib/chromium/chromium',
    '/usr/lib64/chromium-browser/chromium-browser',
  ],
  macPaths: ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((app) => macPath(app, app)),
  windowsPaths: [
    'Google\\Chrome\\Application\\chrome.exe',
    'Chromium\\Application\\chrome.exe',
    'Microsoft\\Edge\\Application\\msedge.exe',
  ],
  debianPackage: 'chromium',
  isPackaged: (families) => families[0] !== 'ubuntu' && (families.includes('debian') || families.includes('ubuntu')),
  install: {
    darwin: 'Run: brew install --cask google-chrome',
    win32: 'Run: winget install Google.Chrome',
    linux(families) {
      if (families[0] === 'ubuntu')
        return `Ubuntu's chromium is a snap, which cannot see the test's profile; run: wget https://dl.google.com/linux/direct/${deb} && sudo apt-get install -y ./${deb}`;
      const commands = {
        ...{
          debian: 'apt-get install -y',
          ubuntu: 'apt-get install -y',
          fedora: 'dnf install -y',
          rhel: 'dnf install -y',
        },
        ...{ arch: 'pacman -S', suse: 'zypper install', opensuse: 'zypper install', alpine: 'apk add' },
      };
      const [, command] = Object.entries(commands).find(([family]) => families.includes(family)) ?? [];
      return command === undefined ? 'Install Chromium with your package manager' : `Run: sudo ${command} chromium`;
    },
  },
};

export const firefox: Make = {
  title: 'Firefox',
  variable: 'FIREFOX_PATH',
  // An ESR before others, since it takes what is not signed.
  linuxNames: ['firefox-esr', 'firefox', 'firefox-developer-edition', 'firefox-nightly'],
  linuxPaths: ['/usr/lib/firefox-esr/firefox-esr', '/usr/lib/firefox/firefox', '/opt/firefox/firefox'],
  macPaths: ['Firefox', 'Firefox Developer Edition', 'Firefox Nightly'].map((app) => macPath(app, 'firefox')),
  windowsPaths: ['Mozilla Firefox', 'Firefox Developer Edition', 'Firefox Nightly'].map((it) => `${it}\\firefox.exe`),
  debianPackage: 'firefox-esr',
  // Ubuntu has no such package.
  isPackaged: (families) => families[0] === 'debian',
  install: {
    darwin: 'Run: brew install --cask firefox',
    win32: 'Run: winget install Mozilla.Firefox.ESR',
    linux(families) {
      if (families[0] === 'ubuntu')
        return 'Ubuntu’s firefox is a snap, which cannot see the test’s profile; use Mozilla’s own';
      if (families.includes('debian')) return 'Run: sudo apt-get install -y firefox-esr';
      return 'Install Firefox ESR with your package manager';
    },
  },
};
