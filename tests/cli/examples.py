#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples.py list PAGE... | run PAGE N | commands PAGE N

Runs the examples of a page.  `list` prints "PAGE N" for each, `run` runs one in the working directory,
`commands` prints its commands.

An example of a page is a literal display (.Bd -literal) in its section EXAMPLES; that of README.md is the
section "A first pipe".  In it, "there$ COMMAND" and "here$ COMMAND" (with any names) are typed at two
hosts, and "$ COMMAND" at one; lines that begin with four spaces continue the command, and other lines are
its expected output.  A host is a shell with a directory and a home of its own.  A command that listens is
left running; the commands that follow get its address.  All other commands must exit with 0.  So must the
listeners at the end: gn-cat -l by itself, gn-listen after a SIGTERM.  The output of the hosts must contain
the output on the page, except for numbers, ids, keys and tokens.

Only addresses, ports, ids and keys are replaced: an address with "..." or $ADDR is that of the latest
listener, a port to listen on becomes a free one, 12D3KooWA... and 12D3KooWB... are the ids of the default
keys of the last and the first host."""
import os, pathlib, re, signal, subprocess, sys, threading, time

LIMIT = 20 * int(os.environ.get('GN_SLOW', '1'))
LISTENS = re.compile(r'\bgn-listen\b|\bgn-cat\b[^|]* -l\b')
ADDRESS = re.compile(r"""/(?:ip4|dns4|dns)/[^/\s]+/tcp/\d+/p2p/\w+\.\.\.(\#\w+)?""")


def source(page):
    """Returns the examples of a page, each a list of lines."""
    text = pathlib.Path(page).read_text()
    if page.endswith('.md'):
        section = re.search(r'^## A first pipe\n(.*?)^## ', text, re.M | re.S).group(1)
        blocks = re.findall(r'(?:^    .*\n)+', section, re.M)
        hosts = ['there', 'here']
        return [[f'{hosts[i]}$ {line[4:]}' for i, b in enumerate(blocks) for line in b.splitlines()]]
    section = re.search(r'^\.Sh EXAMPLES\n(.*?)^\.Sh ', text, re.M | re.S)
    found = re.findall(r'^\.Bd -literal.*?\n(.*?)^\.Ed', section.group(1) if section else '', re.M | re.S)
    return [b.replace(r'\e', '\\').replace(r'\&', '').replace(r'\(aq', "'").splitlines() for b in found]


def steps(lines):
    """Returns [host, command, [expected lines]] for each command of an example."""
    out = []
    for line in lines:
        prompt = re.match(r'(\w*)\$ (.*)', line)
        if prompt:
            out.append([prompt[1] or 'here', prompt[2], []])
        elif line.startswith('    ') and out and not out[-1][2]:
            out[-1][1] += '\n' + line
        elif out:
            out[-1][2].append(line)
    return out


def call(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, **more).stdout.decode().strip()


class Host:
    """A shell and its output."""

    def __init__(self, name, fresh):
        self.name, self.dir = name, pathlib.Path(name).resolve()
        self.home = self.dir / 'home'
        self.home.mkdir(parents=True)
        self.env = {**os.environ, 'HOME': str(self.home), 'PATH': f'{self.dir.parent}/bin:{os.environ["PATH"]}'}
        for name in ('XDG_CONFIG_HOME', 'GN_KEY_FILE'):
            self.env.pop(name, None)
        self.files(fresh)
        self.shell = subprocess.Popen(['bash'], cwd=self.dir, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, start_new_session=True)
        self.shown, self.started, self.pending = '', 0, False
        threading.Thread(target=self.listen, daemon=True).start()
        self.send('set -o pipefail; export BOB=%s ANN=%s ME=%s EVE=%s\n' % tuple(
            call('gn-key', 'id', self.dir / f'{k}.key') for k in ('bob', 'ann', 'me', 'eve')))

    def files(self, fresh):
        """Makes the keys, files, the directory and the program that the examples use."""
        config = self.home / '.config/golem-net'
        config.mkdir(parents=True)
        shared = self.dir.parent / 'keys'
        for key in ('bob', 'ann', 'me', 'eve'):
            (shared / f'{key}.key').exists() or call('gn-key', 'new', shared / f'{key}.key')
            call('cp', '-p', shared / f'{key}.key', self.dir)
        call('gn-key', 'new', config / 'key')
        self.id = call('gn-key', 'id', config / 'key')
        call('cp', '-p', config / 'key', self.home / '.gn-key')
        call('cp', '-p', config / 'key', self.dir / 'srv.key')
        call('gn-key', 'new', self.dir / 'node.key')
        os.chmod(self.dir / 'node.key', 0o644)
        (self.home / '.ssh').mkdir()
        call('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', self.home / '.ssh/id_ed25519')
        self.eve = call('gn-key', 'pub', '-F', 'openssh', self.dir / 'eve.key').split()[1]
        (self.dir / 'team.keys').write_text(f'ssh-ed25519 {self.eve} eve\n')
        if fresh:
            (config / 'key').unlink()
        (self.dir / 'handle-one').write_text('#!/bin/sh\ncat >>handled\n')
        os.chmod(self.dir / 'handle-one', 0o755)
        if self.name == 'there':
            return
        for name in ('file', 'backup.tar', 'one.json', 'two.json'):
            (self.dir / name).write_text(f'this is {name}\n')
        (self.dir / 'log').write_text('start\nERROR one\nERROR two\n')
        (self.dir / 'dir').mkdir()
        (self.dir / 'dir/inside').write_text('inside\n')

    def listen(self):
        for line in self.shell.stdout:
            self.shown += line.decode(errors='replace')

    def send(self, text):
        self.shell.stdin.write(text.encode())
        self.shell.stdin.flush()

    def start(self, command):
        self.finish()
        self.started, self.pending = len(self.shown), True
        self.send('{ %s\n} </dev/null; echo "@@ended $?"\n' % command)

    def wait(self, pattern, is_job=False):
        """Waits for the pattern in the output of the latest command.  Fails if the command ends before,
        unless it is a job."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            shown = self.shown[self.started:]
            found = re.search(pattern, shown, re.M)
            if found:
                return found
            if '@@ended' in shown and not is_job:
                break
            time.sleep(0.02)
        raise SystemExit(f'{self.name}: no "{pattern}"; it shows:\n{self.shown}')

    def finish(self):
        if self.pending:
            self.pending = False
            code = self.wait(r'^@@ended (\d+)$')[1]
            if code != '0':
                raise SystemExit(f'{self.name}: exit code {code}; it shows:\n{self.shown}')

    def address(self):
        return self.wait(r'listening on (/ip4/\S+)\n', is_job=True)[1]

    def stop(self):
        """Sends SIGTERM to the gn-listen of this session; everything else must end by itself."""
        if self.pending or 'gn-listen' in self.shown:
            for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
                try:
                    pid, name, rest = re.match(r'(\d+) \((.*)\) (.*)', stat.read_text()).groups()
                except OSError:
                    continue
                if rest.split()[3] == str(self.shell.pid) and name == 'gn-listen':
                    os.kill(int(pid), signal.SIGTERM)
        self.finish()
        self.start('for job in $(jobs -p); do wait $job || exit; done')
        self.finish()


def plain(text):
    """Replaces tokens, ids, keys and numbers, which differ in each run."""
    text = re.sub(r'#\w{4,}', '#TOKEN', re.sub(r'12D3KooW[\w.]*', 'ID', text))
    text = re.sub(r'AAAAC3[\w+/.=]*', 'KEY', text)
    return re.sub(r'[0-9][0-9.]*', 'N', text).strip()


class Example:
    def __init__(self, lines):
        self.steps = steps(lines)
        if not self.steps:
            raise SystemExit('there is no command in it')
        self.addr, self.job = '', None
        names = list(dict.fromkeys(s[0] for s in self.steps))
        fresh = any(re.search(r'gn-key new\s*($|#)', s[1]) for s in self.steps)
        self.tools()
        self.hosts = {n: Host(n, fresh) for n in names}
        self.ids = {'A': self.hosts[names[-1]].id, 'B': self.hosts[names[0]].id}

    def tools(self):
        """Makes a program ssh that runs its command in another directory of this host."""
        for d in ('bin', 'keys', 'other'):
            os.makedirs(d)
        pathlib.Path('bin/ssh').write_text(f'#!/bin/sh\nshift\ncd {os.getcwd()}/other && echo other >file && sh -c "$*"\n')
        os.chmod('bin/ssh', 0o755)

    def fill_in(self, command, host):
        command = ADDRESS.sub(lambda m: self.addr if m[1] else self.addr.split('#')[0], command)
        command = re.sub(r'12D3KooW([AB])\.\.\.', lambda m: self.ids[m[1]], command)
        command = re.sub(r'AAAAC3\w*\.\.\.', host.eve, command)
        if LISTENS.search(command):
            command = re.sub(r'/ip4/0\.0\.0\.0/tcp/\d+', '/ip4/127.0.0.1/tcp/0', command)
        return command

    def run(self):
        for name, command, shown in self.steps:
            host = self.hosts[name]
            if self.job and self.job is not host:
                self.addr, self.job = self.job.address(), None
            host.finish()
            host.send(f"ADDR='{self.addr}'\n")
            command = self.fill_in(command, host)
            print(f'{name}$ {command}', flush=True)
            host.start(command)
            if not LISTENS.search(command):
                host.finish()
            elif command.endswith('&'):
                self.job = host  # its address is read later, because it may wait for a command that follows
            else:
                self.addr = host.address()
        for host in self.hosts.values():
            host.stop()
            print(f'-- {host.name} shows\n{host.shown}', end='')
        for name, command, shown in self.steps:
            for line in shown:
                line = line.replace('/home/ann', str(self.hosts[name].home))
                if not line.startswith('Passphrase of ') and plain(line) not in plain(self.hosts[name].shown):
                    raise SystemExit(f'{name} does not show: {line}')


if sys.argv[1] == 'commands':
    for step in steps(source(sys.argv[2])[int(sys.argv[3])]):
        print(step[1])
elif sys.argv[1] == 'list':
    for page in sys.argv[2:]:
        for n, _ in enumerate(source(page)):
            print(page, n)
else:
    Example(source(sys.argv[2])[int(sys.argv[3])]).run()
