# A router between us and the world: CCBT TORRENT PAYLOAD FOLDER METHOD, with METHOD pcp, natpmp or upnp.
# Says what leads to us while ccbt seeds, and afterwards.
set -e
ccbt=$1 torrent=$2 payload=$3 folder=$4 method=$5
ip link set lo up
# The world, and the house.
ip link add world0 type veth peer name world1
ip link add house0 type veth peer name house1
ip address add 5.5.5.5/24 dev world0
ip address add 192.168.77.1/24 dev house0
for link in world0 world1 house0; do
    ip link set "$link" up
done
echo 1 >/proc/sys/net/ipv4/ip_forward
unshare -n sleep 600 &
host=$!
until [ "$(readlink "/proc/$host/ns/net")" != "$(readlink "/proc/$$/ns/net")" ]; do
    sleep 0.05
done
ip link set house1 netns "$host"
inside() {
    nsenter --target "$host" --net --preserve-credentials -- "$@"
}
inside ip link set lo up
inside ip address add 192.168.77.2/24 dev house1
inside ip link set house1 up
inside ip route add default via 192.168.77.1
nft -f - <<RULES
table inet filter {
    chain forward { type filter hook forward priority 0; }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
RULES
natpmp=no upnp=no
case $method in
    upnp) upnp=yes ;;
    pcp) natpmp=yes ;;
    natpmp)
        natpmp=yes
        # An older router, which has never heard of version 2.
        nft add chain inet filter input '{ type filter hook input priority 0; }'
        nft add rule inet filter input udp dport 5351 @th,64,8 2 drop
        ;;
esac
cat >"$folder/miniupnpd.conf" <<CONF
ext_ifname=world0
listening_ip=house0
enable_natpmp=$natpmp
enable_upnp=$upnp
secure_mode=yes
uuid=4fca2518-843b-4f16-9161-e6aa242fe7be
lease_file=$folder/leases
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
CONF
miniupnpd -d -f "$folder/miniupnpd.conf" -P "$folder/miniupnpd.pid" >"$folder/router.log" 2>&1 &
router=$!
until grep -qi "listening" "$folder/router.log"; do
    kill -0 "$router"
    sleep 0.05
done
mapped() {
    nft list chain inet filter prerouting_miniupnpd | grep dnat || true
}
nsenter --target "$host" --net --preserve-credentials -- \
    "$ccbt" seed "$torrent" --data "$payload" --no-state --no-dht --no-tracker \
    --listen 0.0.0.0:51413 --map-port >"$folder/ccbt.log" 2>&1 &
seed=$!
until grep -q "leads to us" "$folder/ccbt.log"; do
    kill -0 "$seed" "$router"
    sleep 0.05
done
echo "told: $(grep 'leads to us' "$folder/ccbt.log")"
echo "while: $(mapped)"
kill -TERM "$seed"
wait "$seed" || true
echo "after: $(mapped)"
kill "$router" "$host"
