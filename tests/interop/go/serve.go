// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
)

const bufferSize = 256 << 10

// The pattern's byte i is the low byte of i*2654435761 >> 13, so it repeats every 2^21.
const period = 1 << 21

var pattern = func() []byte {
	b := make([]byte, period)
	for i := range b {
		b[i] = byte(uint64(i) * 2654435761 >> 13)
	}
	return b
}()

func writePattern(w io.Writer, n int64) error {
	for i := int64(0); i < n; {
		at := i % period
		part := pattern[at:min(at+bufferSize, period)]
		if int64(len(part)) > n-i {
			part = part[:n-i]
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		i += int64(len(part))
	}
	return nil
}

// copyAll copies with a large buffer, without the short cuts of io.Copy.
func copyAll(w io.Writer, r io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, bufferSize))
	return err
}

func echo(s network.Stream) {
	if copyAll(s, s) != nil {
		s.Reset()
		return
	}
	s.Close()
}

func sink(s network.Stream) {
	sum := sha256.New()
	if copyAll(sum, s) != nil {
		s.Reset()
		return
	}
	fmt.Fprintf(s, "%x\n", sum.Sum(nil))
	s.Close()
}

func source(s network.Stream) {
	r := bufio.NewReader(s)
	line, err := r.ReadString('\n')
	n, bad := strconv.ParseInt(strings.TrimSuffix(line, "\n"), 10, 64)
	if err != nil || bad != nil || n < 0 || writePattern(s, n) != nil || s.CloseWrite() != nil {
		s.Reset()
		return
	}
	copyAll(io.Discard, r)
	s.Close()
}

func reset(s network.Stream) {
	io.ReadFull(s, make([]byte, 1))
	s.Reset()
}

func hold(network.Stream) {
	select {}
}

func listen(o options) {
	where := "/ip4/127.0.0.1/tcp/0"
	if o.ip6 {
		where = "/ip6/::1/tcp/0"
	}
	if o.at != "" {
		where = o.at
	}
	h := newHost(o, readKey(o.key), where)
	h.SetStreamHandler("/test/echo/1.0.0", echo)
	h.SetStreamHandler("/test/sink/1.0.0", sink)
	h.SetStreamHandler("/test/source/1.0.0", source)
	h.SetStreamHandler("/test/reset/1.0.0", reset)
	h.SetStreamHandler("/test/hold/1.0.0", hold)
	if o.onceOut != "" {
		var taken atomic.Bool
		h.SetStreamHandler(protocolID(o.onceOut), func(s network.Stream) {
			if taken.Swap(true) {
				s.Reset()
				return
			}
			if err := copyAll(os.Stdout, s); err != nil {
				die(exitReset, "%v", err)
			}
			s.CloseWrite()
			flush(h, s.Conn().RemotePeer())
			h.Close()
			os.Exit(0)
		})
	}
	as := h.Network().ListenAddresses()
	if len(as) == 0 {
		die(exitLocal, "nothing to listen on")
	}
	fmt.Printf("%s/p2p/%s\n", as[0], h.ID())
	untilTerm()
	h.Close()
}
