// Echo answers every request with what it saw of it, as JSON. It is the lab's demo service: the
// answer shows which pod on which node served, and whose address arrived there.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"
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

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("ok\n"))
	})
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
	log.Fatal(server.ListenAndServe())
}
