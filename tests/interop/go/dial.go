// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multistream"
)

type protocolType = protocol.ID

func protocolID(s string) protocol.ID { return protocol.ID(s) }

func dial(o options, args []string) {
	ai := parseAddr(args[0])
	h := newHost(o, readKey(o.key))
	cmd, args := args[1], args[2:]
	switch {
	case cmd == "ping" && len(args) == 1:
		connect(h, ai)
		dialPing(h, ai.ID, number(args[0]))
	case cmd == "identify" && len(args) == 0:
		dialIdentify(h, ai)
	case cmd == "raw" && len(args) == 1:
		connect(h, ai)
		dialRaw(h, ai.ID, args[0])
	case cmd == "resetafter" && len(args) == 2:
		connect(h, ai)
		// Without known protocols the protocol is negotiated at once; a reset after a lazy proposal would not be reported.
		h.Peerstore().RemoveProtocols(ai.ID, protocolID(args[0]))
		s := openStream(h, ai.ID, args[0])
		if err := writePattern(s, number(args[1])); err != nil {
			die(exitReset, "%v", err)
		}
		s.Reset()
		flush(h, ai.ID)
	case cmd == "many" && len(args) == 3:
		connect(h, ai)
		dialMany(h, ai.ID, args[0], int(number(args[1])), number(args[2]))
	case cmd == "small" && len(args) >= 3:
		dialSmall(o, h, ai, args[0], secondsOf(args[1]), args[2:])
	default:
		usage()
	}
	h.Close()
}

func dialPing(h host.Host, p peer.ID, n int64) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answers := ping.Ping(ctx, h, p)
	for ; n > 0; n-- {
		r, ok := <-answers
		var no multistream.ErrNotSupported[protocolType]
		switch {
		case !ok:
			die(exitReset, "ping: ended early")
		case errors.As(r.Error, &no):
			die(exitNoProtocol, "ping: the peer does not support it")
		case r.Error != nil:
			die(exitReset, "ping: %v", r.Error)
		}
		fmt.Println(r.RTT.Microseconds())
	}
}

func dialIdentify(h host.Host, ai peer.AddrInfo) {
	sub, err := h.EventBus().Subscribe([]any{new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerIdentificationFailed)})
	if err != nil {
		die(exitLocal, "%v", err)
	}
	connect(h, ai)
	var e event.EvtPeerIdentificationCompleted
	select {
	case got := <-sub.Out():
		if bad, failed := got.(event.EvtPeerIdentificationFailed); failed {
			die(exitNoProtocol, "identify: %v", bad.Reason)
		}
		e = got.(event.EvtPeerIdentificationCompleted)
	case <-time.After(20 * time.Second):
		die(exitUnreachable, "identify: no answer")
	}
	addrs := []string{}
	for _, a := range e.ListenAddrs {
		addrs = append(addrs, a.String())
	}
	observed := ""
	if e.ObservedAddr != nil {
		observed = e.ObservedAddr.String()
	}
	b, err := json.Marshal(struct {
		Peer             string        `json:"peer"`
		Agent            string        `json:"agent"`
		ProtocolVersion  string        `json:"protocolVersion"`
		Protocols        []protocol.ID `json:"protocols"`
		ListenAddrs      []string      `json:"listenAddrs"`
		ObservedAddr     string        `json:"observedAddr"`
		SignedPeerRecord bool          `json:"signedPeerRecord"`
	}{e.Peer.String(), e.AgentVersion, e.ProtocolVersion, e.Protocols, addrs, observed, e.SignedPeerRecord != nil})
	if err != nil {
		die(exitLocal, "%v", err)
	}
	fmt.Println(string(b))
}

// dialRaw carries stdin to the stream and the stream to stdout.
func dialRaw(h host.Host, p peer.ID, proto string) {
	s := openStream(h, p, proto)
	sent := make(chan error, 1)
	go func() {
		err := copyAll(s, os.Stdin)
		if err == nil {
			err = s.CloseWrite()
		}
		sent <- err
		if err != nil {
			s.Reset() // wakes the reader too
		}
	}()
	err := copyAll(os.Stdout, s)
	if err == nil {
		err = <-sent
	}
	if err != nil {
		s.Reset()
		var perr *os.PathError
		if errors.As(err, &perr) {
			die(exitLocal, "%v", err)
		}
		var no multistream.ErrNotSupported[protocolType]
		if errors.As(err, &no) {
			die(exitNoProtocol, "%s: the peer does not support it", proto)
		}
		die(exitReset, "%v", err)
	}
	flush(h, p)
	s.Close()
}

// flush waits until the peer has received all that was written before. go closes
// connections with a TCP reset, which would drop it; any answer on
// another stream, even a refusal, shows that it arrived.
func flush(h host.Host, p peer.ID) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	<-ping.Ping(network.WithNoDial(ctx, "flush"), h, p)
}

func dialMany(h host.Host, p peer.ID, proto string, k int, n int64) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, k)
	for range k {
		go func() {
			s := openStream(h, p, proto)
			go func() {
				if writePattern(s, n) == nil {
					s.CloseWrite()
				}
			}()
			line, err := bufio.NewReader(s).ReadString('\n')
			if err != nil {
				s.Reset()
			} else {
				s.Close()
			}
			answers <- answer{line, err}
		}()
	}
	for range k {
		a := <-answers
		if a.err != nil && a.err != io.EOF {
			die(exitReset, "%v", a.err)
		}
		fmt.Print(a.line)
	}
}
