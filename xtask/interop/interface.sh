# A download with two ways into the network, of which one is to be used: CCBT TORRENT PAYLOAD OUTPUT CLIENT.
# Says how many packets left by the other way, when it was bound and when it was not.
set -e
ccbt=$1 torrent=$2 payload=$3 output=$4 client=$5
ip link set lo up
ip link add other0 type veth peer name other1
for name in all other0 other1; do
    # Greetings of IPv6 would be counted.
    echo 1 >"/proc/sys/net/ipv6/conf/$name/disable_ipv6" || true
done
ip address add 10.99.0.1/24 dev other0
ip link set other1 up
ip link set other0 up
sent() {
    awk '/other0:/ { print $11 }' /proc/net/dev
}
get() {
    folder=$1
    shift
    "$ccbt" get "$torrent" -o "$folder" --no-state --peer 127.0.0.1:7001 --peer 10.99.0.9:7001 \
        --dht-bootstrap 10.99.0.9:6881 --stop-timeout 30s "$@"
}
python3 -u -c "$client" "$torrent" "$payload" 127.0.0.1 7001 0 alone >"$output.seed" 2>&1 &
seed=$!
until grep -q complete "$output.seed"; do
    kill -0 "$seed"
    sleep 0.05
done
before=$(sent)
get "$output" --interface lo
bound=$(sent)
get "$output.free"
free=$(sent)
kill "$seed"
echo "bound: $((bound - before))"
echo "free: $((free - bound))"
