// Echo answers every request with what it saw of it, as JSON. It is the lab's demo service: the
// answer shows which pod on which node served, and whose address arrived there.
//
// GET /stream?seconds=N answers with a line every half second, and with "end" when N seconds are
// over: whoever did not read "end" was cut off.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	longestStream = 10 * time.Minute
	beat          = 500 * time.Millisecond
	// How long requests may go on after SIGTERM; Kubernetes kills when the pod's own patience ends.
	lastRequests = 10 * time.Minute
)

type seen struct {
	Method  string              `json:"method"`
	Path    string              `json:"path"`
	Query   string              `json:"query"`
	Proto   string              `json:"proto"`
	Host    string              `json:"host"`
	Headers map[string][]string `json:"headers"`
	Peer    string              `json:"peer"`
	Pod     string              `json:"pod"`
	PodIP   string              `json:"pod_ip"`
	Node    string              `json:"node"`
}

func stream(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
	length := time.Duration(seconds * float64(time.Second))
	if err != nil || length <= 0 || length > longestStream {
		http.Error(w, "seconds: a number up to 600", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Cache-Control", "no-store")
	flusher := http.NewResponseController(w)
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	end := time.After(length)
	for number := 0; ; number++ {
		if _, err := fmt.Fprintf(w, "%d %s\n", number, os.Getenv("POD_NAME")); err != nil {
			return
		}
		if flusher.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-end:
			_, _ = w.Write([]byte("end\n"))
			return
		case <-ticker.C:
		}
	}
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(seen{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Proto: r.Proto,
			Host: r.Host, Headers: r.Header, Peer: r.RemoteAddr,
			Pod: os.Getenv("POD_NAME"), PodIP: os.Getenv("POD_IP"), Node: os.Getenv("NODE_NAME"),
		})
	})
	return mux
}

func main() {
	listen := os.Getenv("LISTEN")
	if listen == "" {
		listen = ":8080"
	}
	server := &http.Server{Addr: listen, Handler: handler(), ReadHeaderTimeout: 10 * time.Second}
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		<-told.Done()
		last, cancel := context.WithTimeout(context.Background(), lastRequests)
		defer cancel()
		ended <- server.Shutdown(last)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
}
