require 'net/http'
require 'json'

uri = URI('https://api.stepsies.com/v1/stepsies')
request = Net::HTTP::Get.new(uri)
request['Authorization'] = 'Bearer sk_your_api_key_here'
request['Content-Type'] = 'application/json'

response = Net::HTTP.start(uri.hostname, uri.port, use_ssl: true) do |http|
  http.request(request)
end

data = JSON.parse(response.body)
