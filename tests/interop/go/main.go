// SPDX-License-Identifier: MIT

// A go-libp2p peer for the interoperability tests and the benchmarks.
// Its command line is that of ../README.md, the same as the Rust and JavaScript peers'.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

// Exit codes: those of the project's own tools.
const (
	exitLocal       = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitRefused     = 4
	exitNoProtocol  = 7
	exitReset       = 8
)

type options struct {
	key      string
	onceOut  string
	announce []string
	ip6      bool
	at       string // listen there, a multiaddr
	noise    bool   // Noise alone; otherwise TLS is proposed first, go's own order
}

func die(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "peer: "+format+"\n", args...)
	os.Exit(code)
}

func usage() {
	die(exitUsage, "usage: peer listen [--key FILE] [--ip6] [--at ADDR] [--announce ADDR] [--once-out PROTO] [--tls|--noise] | "+
		"dial [--key FILE] [--tls|--noise] ADDR ping N|identify|raw PROTO|resetafter PROTO N|many PROTO K N|"+
		"small PID SECONDS echo SIZE K|streams K|conns | "+
		"idle ADDR K | newkey ed25519|rsa|secp256k1|ecdsa FILE | id FILE")
}

// parseOptions removes the options from the front and the end of args.
func parseOptions(args []string) (options, []string) {
	var o options
	var rest []string
	for i := 0; i < len(args); i++ {
		value := func() string {
			if i++; i >= len(args) {
				usage()
			}
			return args[i]
		}
		switch args[i] {
		case "--key":
			o.key = value()
		case "--once-out":
			o.onceOut = value()
		case "--announce":
			o.announce = append(o.announce, value())
		case "--ip6":
			o.ip6 = true
		case "--at":
			o.at = value()
		case "--tls":
			o.noise = false
		case "--noise":
			o.noise = true
		default:
			if len(args[i]) > 2 && args[i][:2] == "--" {
				usage()
			}
			rest = append(rest, args[i])
		}
	}
	return o, rest
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		die(exitUsage, "not a number: %q", s)
	}
	return n
}

func readKey(file string) crypto.PrivKey {
	if file == "" {
		k, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			die(exitLocal, "%v", err)
		}
		return k
	}
	b, err := os.ReadFile(file)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	k, err := crypto.UnmarshalPrivateKey(b)
	if err != nil {
		die(exitUsage, "%s: %v", file, err)
	}
	return k
}

func newKey(kind, file string) {
	types := map[string]int{"ed25519": crypto.Ed25519, "rsa": crypto.RSA, "secp256k1": crypto.Secp256k1, "ecdsa": crypto.ECDSA}
	t, ok := types[kind]
	if !ok {
		die(exitUsage, "no such type of key: %q", kind)
	}
	k, _, err := crypto.GenerateKeyPair(t, 2048)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	b, err := crypto.MarshalPrivateKey(k)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	if _, err = f.Write(b); err == nil {
		err = f.Close()
	}
	if err != nil {
		die(exitLocal, "%v", err)
	}
	showID(k)
}

func showID(k crypto.PrivKey) {
	id, err := peer.IDFromPrivateKey(k)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	fmt.Println(id)
}

func newHost(o options, k crypto.PrivKey, listen ...string) host.Host {
	mgr, err := connmgr.NewConnManager(100000, 200000)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	opts := []libp2p.Option{
		libp2p.Identity(k),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ConnectionManager(mgr),
		libp2p.ResourceManager(&network.NullResourceManager{}), // a benchmark opens hundreds
		libp2p.UserAgent("interop-go/0.51.0"),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	}
	if !o.noise {
		opts = append(opts, libp2p.Security(tls.ID, tls.New))
	}
	opts = append(opts, libp2p.Security(noise.ID, noise.New))
	if len(listen) == 0 {
		opts = append(opts, libp2p.NoListenAddrs)
	} else {
		opts = append(opts, libp2p.ListenAddrStrings(listen...))
	}
	if len(o.announce) > 0 {
		var as []ma.Multiaddr
		for _, s := range o.announce {
			a, err := ma.NewMultiaddr(s)
			if err != nil {
				die(exitUsage, "%v", err)
			}
			as = append(as, a)
		}
		opts = append(opts, libp2p.AddrsFactory(func([]ma.Multiaddr) []ma.Multiaddr { return as }))
	}
	h, err := libp2p.New(opts...)
	if err != nil {
		die(exitLocal, "%v", err)
	}
	return h
}

func parseAddr(s string) peer.AddrInfo {
	ai, err := peer.AddrInfoFromString(s)
	if err != nil {
		die(exitUsage, "%s: %v", s, err)
	}
	return *ai
}

// connect dials and waits for identify.
func connect(h host.Host, ai peer.AddrInfo) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.Connect(ctx, ai); err != nil {
		if wrongPeer(err) {
			die(exitRefused, "%s: another peer is there", ai.ID)
		}
		die(exitUnreachable, "%s: %q", ai.ID, err.Error())
	}
}

// wrongPeer looks for a peer id mismatch in the errors of the swarm.
func wrongPeer(err error) bool {
	var mismatch sec.ErrPeerIDMismatch
	return errors.As(err, &mismatch)
}

func openStream(h host.Host, p peer.ID, proto string) network.Stream {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := h.NewStream(ctx, p, protocolID(proto))
	if err != nil {
		var no multistream.ErrNotSupported[protocolType]
		if errors.As(err, &no) {
			die(exitNoProtocol, "%s: the peer does not support it", proto)
		}
		if errors.Is(err, network.ErrReset) {
			die(exitReset, "%s: %v", proto, err)
		}
		die(exitUnreachable, "%s: %v", proto, err)
	}
	return s
}

func untilTerm() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, os.Interrupt)
	<-c
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	o, args := parseOptions(os.Args[2:])
	switch cmd := os.Args[1]; {
	case cmd == "listen" && len(args) == 0:
		listen(o)
	case cmd == "dial" && len(args) >= 2:
		dial(o, args)
	case cmd == "idle" && len(args) == 2:
		idle(o, parseAddr(args[0]), int(number(args[1])))
	case cmd == "newkey" && len(args) == 2:
		newKey(args[0], args[1])
	case cmd == "id" && len(args) == 1:
		showID(readKey(args[0]))
	default:
		usage()
	}
}

// idle opens k connections, each from an identity of its own, and holds them.
func idle(o options, ai peer.AddrInfo, k int) {
	hosts := make([]host.Host, k)
	for i := range hosts {
		hosts[i] = newHost(o, readKey(""))
		connect(hosts[i], ai)
	}
	fmt.Println("ready")
	untilTerm()
	for _, h := range hosts {
		h.Close()
	}
}
