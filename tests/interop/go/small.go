// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const smallProtocol = "/test/echo/1.0.0"
const warmUp = 100 * time.Millisecond

// cpuOf returns the processor time of a process: all of its threads' schedstat.
func cpuOf(pid string) (sum int64) {
	threads, _ := os.ReadDir("/proc/" + pid + "/task")
	for _, t := range threads {
		var ns int64
		b, _ := os.ReadFile("/proc/" + pid + "/task/" + t.Name() + "/schedstat")
		fmt.Sscan(string(b), &ns)
		sum += ns
	}
	return
}

// ownCPU returns the processor time of this process.
func ownCPU() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// dialSmall is the counterpart of tests/bench/small.c, which describes the measurements and the output.
func dialSmall(o options, h host.Host, ai peer.AddrInfo, pid string, seconds float64, args []string) {
	var count atomic.Int64
	switch {
	case args[0] == "echo" && len(args) == 3:
		connect(h, ai)
		go smallEcho(openStream(h, ai.ID, smallProtocol), int(number(args[1])), int(number(args[2])), &count)
	case args[0] == "streams" && len(args) == 2:
		connect(h, ai)
		for i := number(args[1]); i > 0; i-- {
			go func() {
				for {
					smallStream(openStream(h, ai.ID, smallProtocol))
					count.Add(1)
				}
			}()
		}
	case args[0] == "conns" && len(args) == 1:
		go func() {
			for {
				one := newHost(o, readKey(o.key))
				connect(one, ai)
				smallStream(openStream(one, ai.ID, smallProtocol))
				one.Close()
				count.Add(1)
			}
		}()
	default:
		usage()
	}
	time.Sleep(warmUp)
	before, cpu, begin := count.Load(), ownCPU()+cpuOf(pid), time.Now()
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	fmt.Println(count.Load()-before, time.Since(begin).Nanoseconds(), ownCPU()+cpuOf(pid)-cpu)
	os.Exit(0)
}

func smallFrame(size int) []byte {
	return append(binary.AppendUvarint(nil, uint64(size)), make([]byte, size)...)
}

// smallEcho keeps frames in flight, and answers all that have come in one read by one write.
func smallEcho(s network.Stream, size, inFlight int, count *atomic.Int64) {
	frame, r := smallFrame(size), bufio.NewReaderSize(s, bufferSize)
	body := make([]byte, len(frame))
	write := func(n int) {
		out := make([]byte, 0, n*len(frame))
		for ; n > 0; n-- {
			out = append(out, frame...)
		}
		if _, err := s.Write(out); err != nil {
			die(exitReset, "%v", err)
		}
	}
	write(inFlight)
	for {
		n := 0
		for n == 0 || r.Buffered() >= len(frame) {
			if _, err := io.ReadFull(r, body); err != nil {
				die(exitReset, "%v", err)
			}
			n++
		}
		count.Add(int64(n))
		write(n)
	}
}

func smallStream(s network.Stream) {
	s.Write(smallFrame(1))
	s.CloseWrite()
	if b, err := io.ReadAll(s); err != nil || len(b) != 2 {
		die(exitReset, "%d bytes: %v", len(b), err)
	}
	s.Close()
}

// secondsOf parses a number of seconds.
func secondsOf(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		usage()
	}
	return f
}
